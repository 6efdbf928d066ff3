// What can be tried with one press: the steps that a person would send one by one. Pure.

/** Names of words.scenarios. */
export const SCENARIOS = ['faulty-release', 'site-fault']

const SITE = 'sh-a'
const INNER = ['account', 'transfer', 'ledger', 'core-adapter']

/**
 * @param name  one of SCENARIOS
 * @param nextVersion  of a service by its name
 * @returns requests in order, each to be answered before the next
 */
export function stepsOf(name, nextVersion) {
  const deploy = (service, scope, fault) => ({
    method: 'POST',
    path: '/api/deployments',
    body: { service, version: nextVersion(service), scope, ...(fault === undefined ? {} : { fault }) },
  })
  const fault = (service) => ({
    method: 'POST',
    path: '/api/faults',
    body: { service, kind: 'errors', ratio: 0.4, site: SITE },
  })
  if (name === 'faulty-release')
    return [
      deploy('account', { kind: 'weight', percent: 30 }),
      deploy('gateway', { kind: 'weight', percent: 50 }),
      deploy(
        'limit',
        { kind: 'branch', branches: ['0531-01', '0531-02', '0531-03'] },
        { kind: 'wrong-result', ratio: 1 },
      ),
    ]
  if (name === 'site-fault')
    return [deploy('account', { kind: 'weight', percent: 30 }), ...INNER.map((service) => fault(service))]
  throw new RangeError(`there is no scenario ${name}`)
}

/** Takes back what is gray and every fault. */
export function stepsBack(services) {
  const gray = services.filter(({ versions }) => versions.some(({ role }) => role === 'gray'))
  return [
    { method: 'DELETE', path: '/api/faults' },
    ...gray.map(({ name }) => ({ method: 'POST', path: '/api/rollbacks', body: { service: name } })),
  ]
}
