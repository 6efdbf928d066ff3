// The people of the demo bank, all made from one seed: customers with account numbers, branches with tellers,
// and the orders they give. Numbers only; nobody has a name.

import { clientVersionAt } from './client-versions.ts'
import { counterShare } from './day-curve.ts'
import { logNormal, pick, placeOf, type Random } from './random.ts'
import { BRANCHES, SITES, type Branch, type ServiceName, type Site } from './topology.ts'

export type Customer = {
  readonly id: string
  readonly account: string
  readonly home: Branch
  readonly site: Site
  readonly clientVersion: string
}

export type Population = {
  readonly customers: readonly Customer[]
  /** teller numbers by branch id */
  readonly tellers: ReadonlyMap<string, readonly string[]>
}

/** One request as a phone or a counter terminal sends it. */
export type Order = {
  readonly entry: Extract<ServiceName, 'mobile-bff' | 'counter-bff'>
  readonly site: Site
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body: Readonly<Record<string, unknown>> | undefined
  readonly headers: Readonly<Record<string, string>>
}

const CUSTOMER_COUNT = 2000
const TELLERS_PER_BRANCH = 5

export function buildPopulation(random: Random): Population {
  const customers = Array.from({ length: CUSTOMER_COUNT }, (_, index): Customer => {
    const number = String(index + 1).padStart(6, '0')
    return {
      id: `C${number}`,
      account: `6200${number}`,
      home: pick(random, BRANCHES),
      site: pick(random, SITES),
      clientVersion: clientVersionAt('mobile', random()),
    }
  })
  const tellers = new Map(
    BRANCHES.map((branch, place) => [
      branch.id,
      Array.from(
        { length: TELLERS_PER_BRANCH },
        (_, index) => `T${String(place * 10 + index + 1).padStart(5, '0')}`,
      ),
    ]),
  )
  return { customers, tellers }
}

/**
 * The next order somebody gives.
 *
 * @param atMs  when, since counters keep opening hours
 * @param txnId unique business transaction id
 */
export function nextOrder(population: Population, random: Random, atMs: number, txnId: string): Order {
  const counter = random() < counterShare(atMs)
  const customer = pick(random, population.customers)
  const transfers = random() < 0.6
  const txnCode = transfers ? (random() < 0.7 ? 'transfer.intra' : 'transfer.inter') : 'balance.query'
  const headers = {
    'x-bank-customer': customer.id,
    'x-bank-region': customer.home.region,
    'x-bank-txn-code': txnCode,
    'x-bank-txn-id': txnId,
    ...(counter
      ? {
          'x-bank-channel': 'counter',
          // A branch's terminals are updated together.
          'x-bank-client-version': clientVersionAt('counter', placeOf(`terminals|${customer.home.id}`)),
          'x-bank-branch': customer.home.id,
          'x-bank-teller': pick(random, population.tellers.get(customer.home.id) ?? []),
        }
      : { 'x-bank-channel': 'mobile', 'x-bank-client-version': customer.clientVersion }),
  }
  return {
    entry: counter ? 'counter-bff' : 'mobile-bff',
    site: customer.site,
    headers,
    ...(transfers
      ? { method: 'POST', path: '/transfers', body: transferBody(population, random, customer) }
      : { method: 'GET', path: `/accounts/${customer.account}/balance`, body: undefined }),
  }
}

/** Amounts are log-normal: half below 600 yuan, and about two in a hundred above what limits and balances allow. */
function transferBody(population: Population, random: Random, from: Customer): Order['body'] {
  return {
    from: from.account,
    to: pick(random, population.customers).account,
    amount: Math.max(1, Math.round(logNormal(random, 600, 1.1) * 100) / 100),
    currency: 'CNY',
  }
}
