import { describe, expect, test } from 'vitest'
import {
  baselineTable,
  chooseEndpoint,
  chooseVersion,
  deploy,
  nextVersion,
  plannedShare,
  rollBack,
  runningVersions,
  type Endpoint,
  type RouteChange,
  type Scope,
  type ServiceRoutes,
} from './routing.ts'

const plain: ServiceRoutes = { base: '2.13.4', previous: undefined, gray: [] }

function routedBy(change: RouteChange): ServiceRoutes {
  if (change.kind === 'refused') throw new Error(`refused: ${change.reason}`)
  return change.routes
}

const after = (routes: ServiceRoutes, version: string, scope: Scope): ServiceRoutes =>
  routedBy(deploy(routes, version, scope))

describe('who serves a request', () => {
  const byBranch = after(plain, '2.14.0', { kind: 'branch', branches: ['0531-01', '0531-02'] })

  test.each([
    { name: 'a branch in scope meets the new version', branch: '0531-02', want: '2.14.0' },
    { name: 'another branch meets the base', branch: '0531-03', want: '2.13.4' },
    { name: 'a channel without branches meets the base', branch: undefined, want: '2.13.4' },
  ])('$name', ({ branch, want }) => {
    expect(chooseVersion('transfer', byBranch, { branch, txnId: 'X1' })).toBe(want)
  })

  test('a weight of 20 % takes a fifth of the transactions, each always the same way', () => {
    const weighted = after(plain, '2.14.0', { kind: 'weight', percent: 20 })
    const ids = Array.from({ length: 20_000 }, (_, index) => `TX${index}`)
    const choose = (txnId: string): string =>
      chooseVersion('transfer', weighted, { branch: undefined, txnId })
    const share = ids.filter((id) => choose(id) === '2.14.0').length / ids.length
    expect(share).toBeGreaterThan(0.19)
    expect(share).toBeLessThan(0.21)
    expect(ids.map(choose)).toEqual(ids.map(choose))
  })

  test('weights of two services draw apart', () => {
    const weighted = after(plain, '2.14.0', { kind: 'weight', percent: 50 })
    const ids = Array.from({ length: 4000 }, (_, index) => `TX${index}`)
    const both = ids.filter(
      (txnId) =>
        chooseVersion('transfer', weighted, { branch: undefined, txnId }) === '2.14.0' &&
        chooseVersion('ledger', weighted, { branch: undefined, txnId }) === '2.14.0',
    )
    expect(both.length / ids.length).toBeCloseTo(0.25, 1)
  })
})

describe('where a request goes', () => {
  const endpoint = (site: Endpoint['site'], port: number): Endpoint => ({
    service: 'limit',
    version: '1.9.0',
    site,
    port,
  })
  const both = { table: baselineTable(), endpoints: [endpoint('sh-a', 1), endpoint('sh-b', 2)] }

  test.each([
    { name: 'it stays in its site', endpoints: both.endpoints, draw: 0.5, want: 1 },
    { name: 'now and then it crosses', endpoints: both.endpoints, draw: 0.001, want: 2 },
    { name: 'it crosses when home is down', endpoints: [endpoint('sh-b', 2)], draw: 0.5, want: 2 },
    { name: 'it stays when only home is up', endpoints: [endpoint('sh-a', 1)], draw: 0.001, want: 1 },
    { name: 'it goes nowhere when nothing is up', endpoints: [], draw: 0.5, want: undefined },
  ])('$name', ({ endpoints, draw, want }) => {
    expect(chooseEndpoint({ ...both, endpoints }, 'limit', '1.9.0', 'sh-a', draw)?.port).toBe(want)
  })
})

describe('deploying and rolling back', () => {
  test('a whole deployment keeps the version before it as the way back', () => {
    const whole = after(plain, '2.14.0', { kind: 'whole' })
    expect(whole).toEqual({ base: '2.14.0', previous: '2.13.4', gray: [] })
    expect(runningVersions(whole)).toEqual(['2.14.0', '2.13.4'])
    expect(rollBack(whole)).toEqual({ kind: 'routed', routes: plain, withdrawn: ['2.14.0'] })
  })

  test('a second whole deployment withdraws the oldest version', () => {
    const change = deploy(after(plain, '2.14.0', { kind: 'whole' }), '2.15.0', { kind: 'whole' })
    expect(change).toMatchObject({ withdrawn: ['2.13.4'], routes: { base: '2.15.0', previous: '2.14.0' } })
  })

  test('a gray version widens and is promoted without being withdrawn', () => {
    const five = after(plain, '2.14.0', { kind: 'weight', percent: 5 })
    const fifty = after(five, '2.14.0', { kind: 'weight', percent: 50 })
    expect(fifty.gray).toEqual([{ version: '2.14.0', scope: { kind: 'weight', percent: 50 } }])
    expect(deploy(fifty, '2.14.0', { kind: 'whole' })).toMatchObject({ withdrawn: [] })
  })

  test('rolling back takes gray versions first and leaves the base alone', () => {
    const gray = after(plain, '2.14.0', { kind: 'branch', branches: ['0531-01'] })
    expect(rollBack(gray)).toEqual({ kind: 'routed', routes: plain, withdrawn: ['2.14.0'] })
  })

  test.each<{ name: string; routes: ServiceRoutes; version: string; scope: Scope; field: string }>([
    { name: 'the base again', routes: plain, version: '2.13.4', scope: { kind: 'whole' }, field: 'version' },
    {
      name: 'more than the traffic there is',
      routes: after(plain, '2.14.0', { kind: 'weight', percent: 60 }),
      version: '2.15.0',
      scope: { kind: 'weight', percent: 50 },
      field: 'scope.percent',
    },
    {
      name: 'a branch that is already taken',
      routes: after(plain, '2.14.0', { kind: 'branch', branches: ['0531-01'] }),
      version: '2.15.0',
      scope: { kind: 'branch', branches: ['0531-01', '0531-02'] },
      field: 'scope.branches',
    },
  ])('refuses $name and names the field', ({ routes, version, scope, field }) => {
    expect(deploy(routes, version, scope)).toMatchObject({ kind: 'refused', field })
  })

  test('refuses to roll back to nothing', () => {
    expect(rollBack(plain)).toMatchObject({ kind: 'refused', field: 'service' })
  })
})

test.each([
  { name: 'the base alone serves everything', gray: [], version: '2.13.4', want: 1 },
  {
    name: 'a weight is what it says',
    gray: [{ version: '2.14.0', scope: { kind: 'weight', percent: 25 } }] as const,
    version: '2.14.0',
    want: 0.25,
  },
  {
    name: 'the base serves the rest of the weights',
    gray: [{ version: '2.14.0', scope: { kind: 'weight', percent: 25 } }] as const,
    version: '2.13.4',
    want: 0.75,
  },
  {
    name: 'a branch rule has no planned share',
    gray: [{ version: '2.14.0', scope: { kind: 'branch', branches: ['0531-01'] } }] as const,
    version: '2.14.0',
    want: undefined,
  },
])('$name', ({ gray, version, want }) => {
  expect(plannedShare({ ...plain, gray }, version)).toBe(want)
})

test.each([
  { name: 'follows the highest, not the latest', seen: ['2.9.1', '2.13.4', '2.10.0'], want: '2.14.0' },
  { name: 'ignores a suffix', seen: ['2.14.0-rc.1'], want: '2.15.0' },
  { name: 'starts somewhere', seen: [], want: '0.1.0' },
])('the next version $name', ({ seen, want }) => {
  expect(nextVersion(seen)).toBe(want)
})
