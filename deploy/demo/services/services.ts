// Which service has which name. A new service is a file beside this one, a line here and a line in topology.ts.

import type { ServiceName } from '../topology.ts'
import { account } from './account.ts'
import { counterBff, mobileBff } from './channel.ts'
import { coreAdapter } from './core-adapter.ts'
import { gateway } from './gateway.ts'
import { ledger } from './ledger.ts'
import { limit } from './limit.ts'
import type { Service } from './service.ts'
import { transfer } from './transfer.ts'

export const services: Readonly<Record<ServiceName, Service>> = {
  'mobile-bff': mobileBff,
  'counter-bff': counterBff,
  gateway,
  account,
  transfer,
  limit,
  ledger,
  'core-adapter': coreAdapter,
}
