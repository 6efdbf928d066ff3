// Release windows: the night's list as it stands, its records, and what it takes to check them without us.

import { mayRead, type ReadScope } from '../../people/read-scope.ts'
import { ordersOf, type OrderStanding } from '../../releases/orders.ts'
import { nightOrders, nightWithin } from '../../windows/night-orders.ts'
import { firstBroken } from '../../windows/record-chain.ts'
import { windowOf, windowsIn, type ReleaseWindow, type WindowPlan } from '../../windows/release-window.ts'
import { countRecords, currentWindow, readRecords } from '../../windows/window-store.ts'
import { windowVerdict } from '../../windows/window-verdict.ts'
import { readVerdicts } from '../../verdicts/verdict-store.ts'
import { iso } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { InvalidRequest, notFound, rangeOf } from '../errors.ts'
import { Problem } from '../schemas.ts'
import {
  ChainQuery,
  ChainReply,
  WindowParams,
  WindowReply,
  WindowsQuery,
  WindowsReply,
} from '../verdict-schemas.ts'
import type { TypedApp } from './typed.ts'

const RANGE_DAYS_MAX = 92
const RELEASES_MAX = 20_000

export function windowRoutes(app: TypedApp, parts: ApiParts, plan: WindowPlan): void {
  const { database, clock } = parts
  const tags = ['releases']

  app.get(
    '/api/v1/release-windows',
    {
      schema: {
        summary:
          'Release windows (投产窗口) that began in a range, newest first, each with its word as it stands now',
        tags,
        querystring: WindowsQuery,
        response: { 200: WindowsReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const range = rangeOf(call.query, clock)
      if (range.toMs - range.fromMs > RANGE_DAYS_MAX * 86_400_000)
        throw new InvalidRequest('from', `a list covers at most ${RANGE_DAYS_MAX} days`)
      const windows = windowsIn(plan, range)
      const [first] = windows
      const last = windows.at(-1)
      if (first === undefined || last === undefined) return { items: [] }
      const { scope } = principalOf(call)
      const kept = (
        await readVerdicts(database, { fromMs: first.fromMs, toMs: last.toMs }, RELEASES_MAX)
      ).filter(({ system }) => mayRead(scope, system))
      const orders = await ordersOf(parts, { fromMs: first.fromMs, toMs: last.toMs }, clock.now())
      const counts = await countRecords(
        database,
        windows.map(({ id }) => id),
      )
      const items = windows.map((window) => {
        const inside = kept.filter(({ release }) => {
          const atMs = release.readyAtMs ?? release.startedAtMs
          return atMs >= window.fromMs && atMs < window.toMs
        })
        return {
          id: window.id,
          from: iso(window.fromMs),
          to: iso(window.toMs),
          verdictAt: iso(window.verdictAtMs),
          verdict: windowVerdict(window, plan.timeZone, inside, ordersIn(orders, window, scope)).verdict,
          releases: inside.length,
          records: counts.get(window.id) ?? 0,
        }
      })
      return { items: items.toReversed() }
    },
  )

  app.get(
    '/api/v1/release-windows/chain',
    {
      schema: {
        summary: 'Records in the order of the chain, with what it takes to check them without us',
        tags,
        querystring: ChainQuery,
        response: { 200: ChainReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const { after, limit } = call.query
      const [before] = after === 0 ? [] : await readRecords(database, { after: after - 1, limit: 1 })
      const records = await readRecords(database, { after, limit })
      const broken = firstBroken(records, before)
      return {
        records: [...records],
        isWhole: broken === undefined,
        broken: broken?.sequence ?? null,
        recipe: [
          "jq -j '.records[0].body' chain.json > body",
          'sha256sum body   # is .records[0].hash, and stands in the body of the next as previousHash',
          "jq -r '.records[0].signature' chain.json | base64 -d > signature",
          'openssl pkeyutl -verify -pubin -inkey THE-KEY-YOU-WERE-GIVEN.pem -rawin -in body -sigfile signature',
        ],
      }
    },
  )

  app.get(
    '/api/v1/release-windows/:id',
    {
      schema: {
        summary: 'One night: a line for each system, one word for all with reasons, and its records',
        tags,
        params: WindowParams,
        response: { 200: WindowReply, 400: Problem, 404: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const window = windowOf(plan, call.params.id)
      if (window === undefined) return notFound(reply, `«${call.params.id}» is no date.`)
      const { scope } = principalOf(call)
      const orders = await ordersOf(parts, window, clock.now())
      const verdict = isAll(scope)
        ? await currentWindow(database, window, plan.timeZone, orders)
        : windowVerdict(
            window,
            plan.timeZone,
            (await readVerdicts(database, window, RELEASES_MAX)).filter(({ system }) =>
              mayRead(scope, system),
            ),
            ordersIn(orders, window, scope),
          )
      // A record is whole or nothing: who may not read all of it is not shown it.
      const records = isAll(scope) ? await readRecords(database, { window: window.id }) : []
      return { ...verdict, records: [...records] }
    },
  )
}

const ordersIn = (orders: readonly OrderStanding[], window: ReleaseWindow, scope: ReadScope) =>
  nightWithin(nightOrders(orders, window), (system) => mayRead(scope, system))

const isAll = (scope: ReadScope) => scope === 'everything'
