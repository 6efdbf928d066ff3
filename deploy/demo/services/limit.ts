// Transfer limits: reserves an amount or says that the day's limit is exceeded.

import { placeOf } from '../random.ts'
import { done, numberField, reference, reject, textField, type Service } from './service.ts'

const LIMITS_YUAN = [5_000, 20_000, 50_000] as const

/** Half of the accounts have the lowest limit. */
export function limitOf(account: string): number {
  const place = placeOf(`limit|${account}`)
  return place < 0.5 ? LIMITS_YUAN[0] : place < 0.85 ? LIMITS_YUAN[1] : LIMITS_YUAN[2]
}

export const limit: Service = {
  prefix: 'LIM',
  operations: [
    {
      method: 'POST',
      route: '/reservations',
      workMs: 4,
      answer({ body, random }) {
        const account = textField(body, 'account', /^\d+$/)
        const amount = numberField(body, 'amount')
        if (account === undefined || amount === undefined)
          return reject('LIM0013', 'account and amount are needed')
        if (amount > limitOf(account)) return reject('LIM0021', 'the limit of the day is exceeded')
        return done('LIM0000', { reservation: reference('RSV', random) })
      },
      // Looks like a reservation to whoever carries it along; the ledger alone reads it.
      corrupt: (body) => ({ ...body, reservation: 'RSV' }),
    },
  ],
}
