// The service gateway: passes channel requests on to the core and refuses answers it cannot read.

import { done, failure, numberField, relay, textField, type Service } from './service.ts'

export const gateway: Service = {
  prefix: 'GTW',
  operations: [
    {
      method: 'POST',
      route: '/transfers',
      workMs: 2,
      async answer(exchange) {
        const route = '/transfers'
        const answer = await exchange.call({
          to: 'transfer',
          method: 'POST',
          route,
          path: route,
          body: exchange.body,
        })
        if (answer.status !== 200) return relay(answer)
        const receipt = textField(answer.body, 'receipt', /^RCP\d{8}$/)
        if (receipt === undefined) return failure('GTW5001', 'the receipt is unreadable')
        return done('PAY0000', { receipt })
      },
      corrupt: (body) => ({ ...body, receipt: 'RCP' }),
    },
    {
      method: 'GET',
      route: '/accounts/{account}/balance',
      workMs: 2,
      async answer(exchange) {
        const answer = await exchange.call({
          to: 'account',
          method: 'GET',
          route: '/accounts/{account}/balance',
          path: `/accounts/${exchange.params['account'] ?? ''}/balance`,
        })
        if (answer.status !== 200) return relay(answer)
        const balance = numberField(answer.body, 'balance')
        if (balance === undefined) return failure('GTW5002', 'the balance is unreadable')
        return done('ACC0000', { balance })
      },
      corrupt: (body) => ({ ...body, balance: null }),
    },
  ],
}
