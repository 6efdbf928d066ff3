// Opens the control API on the loopback address.

import type { AddressInfo } from 'node:net'
import type { Logger } from '../../../ingest/runtime/logger.ts'
import { buildControl, type ControlParts } from './app.ts'

export interface Control {
  readonly url: string
  close(): Promise<void>
}

/** @throws Error with a remedy when the port is taken */
export async function openControl(
  parts: ControlParts & { readonly port: number; readonly logger: Logger },
): Promise<Control> {
  const app = buildControl(parts)
  try {
    await app.listen({ port: parts.port, host: '127.0.0.1' })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    const taken = new Error(
      `Port ${parts.port} is taken. Stop the program that holds it, or set SURETY_DEMO_PORT to another port.`,
      { cause },
    )
    throw Object.assign(taken, { code: 'EADDRINUSE' })
  }
  const { port } = app.server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  parts.logger.info({ url }, 'the demo bank is open')
  return {
    url,
    close: async () => {
      app.server.closeAllConnections()
      await app.close()
    },
  }
}
