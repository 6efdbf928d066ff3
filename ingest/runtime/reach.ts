// Who can reach an address: this machine alone, or others too. Everything that is asked of others hangs on it.

import { BlockList, isIP } from 'node:net'

/** Says whether an address to listen on is reachable from this machine alone. Tests stand in for it. */
export type IsLoopback = (host: string) => boolean

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** A name other than `localhost` counts as reachable by others, whatever it resolves to today. */
export const isLoopback: IsLoopback = (host) => {
  const family = isIP(host)
  if (family === 0) return host === 'localhost'
  return LOOPBACK.check(host, family === 6 ? 'ipv6' : 'ipv4')
}
