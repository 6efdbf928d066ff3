// The way to the core host. The host itself is played here: slow, dependable, and out of reach once in a
// thousand calls, which is the bank's background of system errors.

import { balanceOf } from './account.ts'
import { done, failure, reference, type Service } from './service.ts'

const HOST_FAILURE_RATIO = 0.001
const outOfReach = failure('HST5030', 'the core host did not answer')

export const coreAdapter: Service = {
  prefix: 'HST',
  operations: [
    {
      method: 'POST',
      route: '/host/postings',
      workMs: 18,
      answer({ random }) {
        if (random() < HOST_FAILURE_RATIO) return outOfReach
        return done('HST0000', { hostReference: reference('HST', random) })
      },
      corrupt: (body) => ({ ...body, hostReference: 'HST' }),
    },
    {
      method: 'GET',
      route: '/host/accounts/{account}',
      workMs: 11,
      answer({ params, random }) {
        if (random() < HOST_FAILURE_RATIO) return outOfReach
        return done('HST0000', { hostBalance: balanceOf(params['account'] ?? '') })
      },
      corrupt: (body) => ({ ...body, hostBalance: null }),
    },
  ],
}
