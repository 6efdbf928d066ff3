// Who may drive the bank: programs and pages of this machine. A web page from elsewhere reaches a loopback port
// too, by its own script or through a name that resolves to 127.0.0.1; its headers give it away.

export type Caller = {
  readonly host: string | undefined
  readonly origin: string | undefined
  /** `Sec-Fetch-Site`, which browsers set and scripts cannot */
  readonly fetchSite: string | undefined
}

const LOOPBACK_HOST = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/

/** @returns undefined when the caller may, else why not */
export function reasonToRefuse({ host, origin, fetchSite }: Caller): string | undefined {
  if (host === undefined || !LOOPBACK_HOST.test(host)) {
    return 'the Host header must name this machine: localhost or 127.0.0.1'
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    return 'the Origin header names another site; use the control page itself'
  }
  if (fetchSite === 'cross-site' || fetchSite === 'same-site') {
    return 'another site may not send requests here; use the control page itself'
  }
  return undefined
}
