// The two channels, mobile and counter: they check what the customer's device sent, ask the gateway, and check
// what they show.

import {
  done,
  failure,
  numberField,
  reject,
  relay,
  textField,
  type Answer,
  type Exchange,
  type Service,
} from './service.ts'

type ChannelFacts = {
  readonly prefix: string
  /** the header without which this channel serves nobody */
  readonly identity: string
}

function buildChannel({ prefix, identity }: ChannelFacts): Service {
  const stranger = (exchange: Exchange): Answer | undefined =>
    exchange.header(identity) === undefined ? reject(`${prefix}0401`, `${identity} is missing`) : undefined

  return {
    prefix,
    operations: [
      {
        method: 'POST',
        route: '/transfers',
        workMs: 3,
        async answer(exchange) {
          const refused = stranger(exchange)
          if (refused !== undefined) return refused
          const route = '/transfers'
          const answer = await exchange.call({
            to: 'gateway',
            method: 'POST',
            route,
            path: route,
            body: exchange.body,
          })
          if (answer.status !== 200) return relay(answer)
          const receipt = textField(answer.body, 'receipt', /^RCP\d{8}$/)
          if (receipt === undefined) return failure(`${prefix}5001`, 'the receipt cannot be shown')
          return done('PAY0000', { receipt })
        },
      },
      {
        method: 'GET',
        route: '/accounts/{account}/balance',
        workMs: 2,
        async answer(exchange) {
          const refused = stranger(exchange)
          if (refused !== undefined) return refused
          const answer = await exchange.call({
            to: 'gateway',
            method: 'GET',
            route: '/accounts/{account}/balance',
            path: `/accounts/${exchange.params['account'] ?? ''}/balance`,
          })
          if (answer.status !== 200) return relay(answer)
          const balance = numberField(answer.body, 'balance')
          if (balance === undefined) return failure(`${prefix}5002`, 'the balance cannot be shown')
          return done('ACC0000', { balance })
        },
      },
    ],
  }
}

export const mobileBff: Service = buildChannel({ prefix: 'MOB', identity: 'x-bank-client-version' })
export const counterBff: Service = buildChannel({ prefix: 'CTR', identity: 'x-bank-teller' })
