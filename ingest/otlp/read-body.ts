// Reads bodies of requests with three bounds: on one body, on all that are coming in together, and on how long a sender may
// say nothing. What has come is counted as it comes, since most exporters do not say how long a body is.

import type { Readable } from 'node:stream'

export type BodyBounds = {
  /** Largest body, bytes. */
  readonly bytesMax: number
  /** Bytes of all bodies that are coming in, together. */
  readonly receivingMax: number
  /** Longest silence within a body, ms. */
  readonly stallMs: number
}

/** `status` as in HTTP: 408 it stopped coming, 413 it is too large, 503 too much is coming in at once. */
export class BodyRefused extends Error {
  readonly statusCode: 408 | 413 | 503

  constructor(statusCode: 408 | 413 | 503, message: string) {
    super(message)
    this.name = 'BodyRefused'
    this.statusCode = statusCode
  }
}

/** @returns a function that reads one body to its end @throws BodyRefused, or the error of a connection that broke */
export function buildBodyReader(
  { bytesMax, receivingMax, stallMs }: BodyBounds,
  tooLarge: string,
): (declared: number | undefined, body: Readable) => Promise<Buffer> {
  let receiving = 0
  return (declared, body) =>
    new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let size = 0
      const timer = setTimeout(
        () => finish(new BodyRefused(408, `The body stopped coming for ${stallMs / 1000} s; send it again`)),
        stallMs,
      )
      timer.unref()

      function finish(error?: Error): void {
        clearTimeout(timer)
        body.off('data', onData).off('end', onEnd).off('error', finish).off('close', onClose)
        receiving -= size
        if (error === undefined) {
          resolve(Buffer.concat(chunks, size))
          return
        }
        // What still comes is let go, so that the sender gets to read its answer.
        body.on('error', () => undefined).resume()
        reject(error)
      }
      function onData(chunk: Buffer): void {
        size += chunk.length
        receiving += chunk.length
        chunks.push(chunk)
        timer.refresh()
        if (size > bytesMax) finish(new BodyRefused(413, tooLarge))
        else if (receiving > receivingMax)
          finish(
            new BodyRefused(
              503,
              `Bodies of ${receivingMax} bytes are coming in at once already; send it again`,
            ),
          )
      }
      function onEnd(): void {
        const isShort = declared !== undefined && declared !== size
        finish(
          isShort ? new Error(`The body is ${size} bytes long, Content-Length says ${declared}`) : undefined,
        )
      }
      const onClose = () => finish(new Error('The connection was closed before the body had come'))

      if ((declared ?? 0) > bytesMax) {
        finish(new BodyRefused(413, tooLarge))
        return
      }
      body.on('data', onData).on('end', onEnd).on('error', finish).on('close', onClose)
    })
}
