// Accounts: whether one may be debited, and what it holds. Balances follow from the account number, so the bank
// needs no store and every start knows the same accounts.

import { placeOf } from '../random.ts'
import { done, failure, numberField, reject, relay, type Service } from './service.ts'

/** Yuan; between 2,500 and about 500,000, half of them below 35,000. */
export function balanceOf(account: string): number {
  return Math.round(2500 * Math.exp(5.3 * placeOf(`balance|${account}`)) * 100) / 100
}

export const account: Service = {
  prefix: 'ACC',
  operations: [
    {
      method: 'POST',
      route: '/accounts/{account}/checks',
      workMs: 5,
      answer({ params, body }) {
        const number = params['account'] ?? ''
        const amount = numberField(body, 'amount')
        if (!/^6200\d{6}$/.test(number)) return reject('ACC0014', 'no such account')
        if (amount === undefined || amount <= 0) return reject('ACC0013', 'the amount must be above zero')
        if (amount > balanceOf(number)) return reject('ACC0051', 'insufficient balance')
        return done('ACC0000', { accountKey: `AK${number}` })
      },
      // The posting still names an account, only not one the ledger can read.
      corrupt: (body) => ({ ...body, accountKey: 'AK' }),
    },
    {
      method: 'GET',
      route: '/accounts/{account}/balance',
      workMs: 4,
      async answer({ params, call }) {
        const number = params['account'] ?? ''
        if (!/^6200\d{6}$/.test(number)) return reject('ACC0014', 'no such account')
        const answer = await call({
          to: 'core-adapter',
          method: 'GET',
          route: '/host/accounts/{account}',
          path: `/host/accounts/${number}`,
        })
        if (answer.status !== 200) return relay(answer)
        const balance = numberField(answer.body, 'hostBalance')
        if (balance === undefined) return failure('ACC5001', 'the host balance is unreadable')
        return done('ACC0000', { balance })
      },
      corrupt: (body) => ({ ...body, balance: null }),
    },
  ],
}
