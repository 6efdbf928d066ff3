// The ledger: posts a transfer once its account key and its reservation are sound, through the core host.

import { done, failure, numberField, reference, relay, textField, type Service } from './service.ts'

export const ledger: Service = {
  prefix: 'LED',
  operations: [
    {
      method: 'POST',
      route: '/postings',
      workMs: 7,
      async answer({ body, call, random }) {
        const accountKey = textField(body, 'accountKey', /^AK\d{10}$/)
        if (accountKey === undefined) return failure('LED5001', 'the account key is unreadable')
        if (textField(body, 'reservation', /^RSV\d{8}$/) === undefined) {
          return failure('LED5002', 'the limit reservation is unreadable')
        }
        const answer = await call({
          to: 'core-adapter',
          method: 'POST',
          route: '/host/postings',
          path: '/host/postings',
          body: { accountKey, to: body['to'], amount: numberField(body, 'amount') },
        })
        if (answer.status !== 200) return relay(answer)
        if (textField(answer.body, 'hostReference', /^HST\d{8}$/) === undefined) {
          return failure('LED5003', 'the host reference is unreadable')
        }
        return done('LED0000', { postingId: reference('PST', random) })
      },
      corrupt: (body) => ({ ...body, postingId: 'PST' }),
    },
  ],
}
