// TLS of the doors: certificate and key from files, client certificates when a CA for them is named, renewal
// without a restart. A new connection gets the newest certificate that was good; open ones keep theirs.

import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Server as HttpsServer, ServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import Fastify, { type FastifyHttpOptions, type FastifyInstance, type RawServerDefault } from 'fastify'
import type { Clock } from './clock.ts'
import { answerClientError, CONNECTION_LIMITS, type ConnectionLimits } from './connection-limits.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'
import { openFileWatch } from './watch-files.ts'

export type TlsFiles = {
  /** PEM: the certificate, then the chain up to the root. */
  readonly certFile: string
  /** PEM, without a passphrase. */
  readonly keyFile: string
  /** PEM: those who sign client certificates; when named, no connection without one. */
  readonly clientCaFile: string | undefined
}

export interface Tls {
  /** What a server is made with once: whether clients need a certificate. */
  readonly serverOptions: Pick<ServerOptions, 'requestCert' | 'rejectUnauthorized' | 'minVersion'>
  /** Certificate, key and client CA as they are now. */
  context(): SecureContextOptions
  /** Called with every renewal. */
  onChange(listener: (context: SecureContextOptions) => void): void
  /** Looks at the files now instead of at the next poll. */
  check(): Promise<void>
  close(): void
}

export type TlsParts = {
  readonly pollMs: number
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
}

type Read =
  | { readonly kind: 'read'; readonly context: SecureContextOptions; readonly certificate: X509Certificate }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] }

// 1.0 and 1.1 are forbidden by RFC 8996.
const MIN_VERSION = 'TLSv1.2'
// Who has not shown itself by then is cut off; Node would wait two minutes.
const HANDSHAKE_TIMEOUT_MS = 10_000

/** @returns problems, by variable name, when the files cannot be used at the start */
export async function openTls(
  files: TlsFiles,
  { pollMs, clock, logger, metrics }: TlsParts,
): Promise<Tls | { readonly problems: readonly string[] }> {
  const listeners: ((context: SecureContextOptions) => void)[] = []
  let current: SecureContextOptions = {}
  const watched = [files.certFile, files.keyFile, files.clientCaFile].filter((file) => file !== undefined)
  const watch = await openFileWatch(watched, pollMs, logger, async () => {
    const changed = await readTlsFiles(files)
    if (changed.kind === 'wrong') {
      logger.error(
        { problems: changed.problems },
        'the TLS files were changed and cannot be used; new connections still get the certificate before the change',
      )
      return
    }
    use(changed)
    for (const listener of listeners) listener(changed.context)
  })
  const first = await readTlsFiles(files)
  if (first.kind === 'wrong') {
    watch.close()
    return first
  }
  use(first)

  function use({ context, certificate }: Extract<Read, { kind: 'read' }>): void {
    current = context
    const endsAt = Date.parse(certificate.validTo)
    const facts = { subject: certificate.subject, notAfter: new Date(endsAt).toISOString() }
    metrics.tlsNotAfter.set(endsAt / 1000)
    if (endsAt <= clock.now()) logger.warn(facts, 'the TLS certificate has expired; senders will turn away')
    else logger.info(facts, 'the TLS certificate is in use')
  }

  const asksClients = files.clientCaFile !== undefined
  return {
    serverOptions: { minVersion: MIN_VERSION, requestCert: asksClients, rejectUnauthorized: asksClients },
    context: () => current,
    onChange: (listener) => void listeners.push(listener),
    check: () => watch.check(),
    close: () => watch.close(),
  }
}

/**
 * A Fastify application over TLS, or over plain HTTP when there is none; certificates renew while it listens.
 * @param onRefused  called with the status of an answer to what was no request
 */
export function buildServer(
  { limits = CONNECTION_LIMITS, onRefused, ...options }: ServerSettings,
  tls: Tls | undefined,
): FastifyInstance {
  const times = { headersTimeout: limits.headersMs, connectionsCheckingInterval: limits.lookEveryMs }
  const settings = {
    ...options,
    requestTimeout: limits.requestMs,
    clientErrorHandler(error: NodeJS.ErrnoException, socket: Socket) {
      const status = answerClientError(error, socket, limits)
      if (status !== undefined) onRefused?.(status)
    },
  }
  const app =
    tls === undefined
      ? Fastify({ ...settings, http: times })
      : Fastify({
          ...settings,
          https: {
            ...tls.serverOptions,
            ...tls.context(),
            ...times,
            handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
          },
        })
  app.server.maxConnections = limits.connectionsMax
  app.server.on('drop', () => onRefused?.('CONNECTIONS_MAX'))
  tls?.onChange((context) => (app.server as HttpsServer).setSecureContext(context))
  return app as FastifyInstance
}

/** What our applications set; the same over HTTP and TLS. */
type ServerSettings = Pick<FastifyHttpOptions<RawServerDefault>, 'bodyLimit' | 'routerOptions'> & {
  readonly limits?: ConnectionLimits | undefined
  readonly onRefused?: (status: number | 'CONNECTIONS_MAX') => void
}

/** The files as they are now, and what is wrong with them. */
export async function readTlsFiles({ certFile, keyFile, clientCaFile }: TlsFiles): Promise<Read> {
  const problems: string[] = []

  async function pem<T>(variable: string, file: string, what: string, parse: (text: Buffer) => T) {
    const problem = (reason: string) => void problems.push(`${variable}=${JSON.stringify(file)}: ${reason}`)
    let text: Buffer
    try {
      text = await readFile(file)
    } catch (error) {
      return problem(`cannot be read (${(error as Error).message})`)
    }
    try {
      return { text, parsed: parse(text) }
    } catch (error) {
      return problem(`is not ${what} (${(error as Error).message})`)
    }
  }

  const cert = await pem(
    'SURETY_TLS_CERT_FILE',
    certFile,
    'a certificate in PEM',
    (text) => new X509Certificate(text),
  )
  const key = await pem<KeyObject>(
    'SURETY_TLS_KEY_FILE',
    keyFile,
    'a private key in PEM without a passphrase',
    (text) => createPrivateKey(text),
  )
  const ca =
    clientCaFile === undefined
      ? undefined
      : await pem(
          'SURETY_TLS_CLIENT_CA_FILE',
          clientCaFile,
          'a certificate in PEM',
          (text) => new X509Certificate(text),
        )
  if (cert !== undefined && key !== undefined && !cert.parsed.checkPrivateKey(key.parsed))
    problems.push(`SURETY_TLS_KEY_FILE=${JSON.stringify(keyFile)}: is not the key of SURETY_TLS_CERT_FILE`)
  if (problems.length > 0 || cert === undefined || key === undefined) return { kind: 'wrong', problems }
  const context: SecureContextOptions = {
    cert: cert.text,
    key: key.text,
    minVersion: MIN_VERSION,
    ...(ca === undefined ? {} : { ca: ca.text }),
  }
  try {
    createSecureContext(context)
  } catch (error) {
    return {
      kind: 'wrong',
      problems: [`SURETY_TLS_CERT_FILE=${JSON.stringify(certFile)}: ${(error as Error).message}`],
    }
  }
  return { kind: 'read', context, certificate: cert.parsed }
}
