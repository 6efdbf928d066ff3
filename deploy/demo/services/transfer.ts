// Transfers: check the account, reserve the limit, post to the ledger, write the receipt. It hands the account
// key and the reservation on as it got them; whether they are sound is for the ledger to say.

import { done, failure, reference, relay, textField, type Service } from './service.ts'

export const transfer: Service = {
  prefix: 'PAY',
  operations: [
    {
      method: 'POST',
      route: '/transfers',
      workMs: 6,
      async answer({ body, call, random }) {
        const from = textField(body, 'from', /^\d+$/) ?? ''
        const checked = await call({
          to: 'account',
          method: 'POST',
          route: '/accounts/{account}/checks',
          path: `/accounts/${from}/checks`,
          body: { amount: body['amount'] },
        })
        if (checked.status !== 200) return relay(checked)
        const reserved = await call({
          to: 'limit',
          method: 'POST',
          route: '/reservations',
          path: '/reservations',
          body: { account: from, amount: body['amount'] },
        })
        if (reserved.status !== 200) return relay(reserved)
        const posted = await call({
          to: 'ledger',
          method: 'POST',
          route: '/postings',
          path: '/postings',
          body: {
            accountKey: checked.body['accountKey'],
            reservation: reserved.body['reservation'],
            amount: body['amount'],
            to: body['to'],
          },
        })
        if (posted.status !== 200) return relay(posted)
        if (textField(posted.body, 'postingId', /^PST\d{8}$/) === undefined) {
          return failure('PAY5001', 'the posting cannot be found again')
        }
        return done('PAY0000', { receipt: reference('RCP', random) })
      },
      corrupt: (body) => ({ ...body, receipt: 'RCP' }),
    },
  ],
}
