import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import type { Store } from '../../ingest/store/store.ts'
import type { Board, Standing } from './board.ts'
import { buildChangeFeed, type ChangeFeed, type Listener } from './change-feed.ts'

const SLOS = new Map(
  [
    { name: 'pay', system: 'payments' },
    { name: 'card', system: 'cards' },
  ].map((slo) => [slo.name, slo]),
)

/** A registry and a store of which only what changes is kept. */
function buildWorld() {
  const judged = new Map<string, number>()
  const transitions: { id: number; slo: string; system: string }[] = []
  const asked = { store: 0, database: 0 }
  let isBroken = false
  const store = {
    ask(_: unknown, { since }: { since: number }) {
      asked.store += 1
      if (isBroken) return Promise.reject(new Error('broken'))
      const rows = [...judged].filter(([, ms]) => ms >= since)
      return Promise.resolve(
        rows.map(([slo, judged_ms]) => ({ slo, objective: 0, slo_group: '', judged_ms })),
      )
    },
  } as unknown as Store
  const database = {
    rows(sql: string, values: readonly number[] = []) {
      asked.database += 1
      const newest = transitions.at(-1)?.id ?? 0
      if (sql.includes('max(id)')) return Promise.resolve([{ id: newest }])
      const [after = 0, limit = 0] = values
      return Promise.resolve(
        transitions
          .filter(({ id }) => id > after)
          .slice(0, limit)
          .map((one) => ({
            ...one,
            at: new Date(0),
            judged_at: new Date(0),
            objective: 0,
            slo_group: '',
            generation: 1,
            transition: {},
          })),
      )
    },
  }
  const board = {
    slos: () => Promise.resolve({ slos: SLOS }),
    standings: (_: unknown, names: readonly string[] = [...SLOS.keys()]) =>
      Promise.resolve(
        names.flatMap((name) => {
          const slo = SLOS.get(name)
          return slo === undefined
            ? []
            : [{ slo, judged: { objective: 0 }, group: '' } as unknown as Standing]
        }),
      ),
  } as unknown as Board
  return {
    asked,
    feed: buildChangeFeed({ store, database, board, logger: buildLogger('silent') }),
    judge: (slo: string, ms: number) => void judged.set(slo, ms),
    change(slo: string, system: string, count = 1) {
      for (let n = 0; n < count; n += 1) transitions.push({ id: transitions.length + 1, slo, system })
    },
    breakStore: (is: boolean) => void (isBroken = is),
  }
}

let world: ReturnType<typeof buildWorld>
beforeEach(() => {
  vi.useFakeTimers()
  world = buildWorld()
})
afterEach(async () => {
  await world.feed.stop()
  vi.useRealTimers()
})

function hear(feed: ChangeFeed, system?: string, afterId?: number) {
  const heard: string[] = []
  const listener: Listener = {
    afterId,
    mayRead: (of) => system === undefined || of === system,
    joined: (id) => void heard.push(`joined ${id}`),
    status: ({ slo }) => void heard.push(`status ${slo.name}`),
    transition: ({ id }) => void heard.push(`transition ${id}`),
    reset: (id) => void heard.push(`reset ${id}`),
  }
  return { heard, leave: feed.listen(listener) }
}
const pass = (seconds = 1) => vi.advanceTimersByTimeAsync(seconds * 1000)

test('however many listen it is asked once a second, and not at all when nobody does', async () => {
  await pass(10)
  expect(world.asked).toEqual({ store: 0, database: 0 })
  const one = hear(world.feed)
  await pass(10)
  const alone = { ...world.asked }
  expect(alone.store).toBeGreaterThanOrEqual(10)
  const others = Array.from({ length: 100 }, () => hear(world.feed))
  await pass(10)
  expect(world.asked.store - alone.store).toBeLessThanOrEqual(11)
  for (const { leave } of [one, ...others]) leave()
  await pass(2)
  const left = { ...world.asked }
  await pass(20)
  expect(world.asked).toEqual(left)
})

test('a change is told once to each who may read it', async () => {
  world.judge('pay', 1)
  const [all, payments, cards] = [hear(world.feed), hear(world.feed, 'payments'), hear(world.feed, 'cards')]
  await pass()
  world.judge('pay', 1000)
  world.change('pay', 'payments')
  await pass(5)
  world.judge('card', 1000)
  world.change('card', 'cards')
  // Of an SLO that is gone, or that was moved, the system at the time counts as well.
  world.change('gone', 'cards')
  world.change('pay', 'cards')
  await pass(5)
  expect(all.heard).toEqual([
    'joined 0',
    'transition 1',
    'status pay',
    'transition 2',
    'transition 3',
    'transition 4',
    'status card',
  ])
  expect(payments.heard).toEqual(['joined 0', 'transition 1', 'status pay'])
  expect(cards.heard).toEqual(['joined 0', 'transition 2', 'transition 3', 'status card'])
})

test('what another process wrote a little late is told as well', async () => {
  const { heard } = hear(world.feed)
  await pass()
  world.judge('pay', 20_000)
  await pass(3)
  world.judge('card', 15_000)
  await pass(3)
  expect(heard).toEqual(['joined 0', 'status pay', 'status card'])
})

test('who comes again is told what was missed, before anything new and once', async () => {
  world.change('pay', 'payments', 5)
  const first = hear(world.feed)
  await pass()
  const again = hear(world.feed, undefined, 2)
  world.change('pay', 'payments')
  await pass(5)
  expect(first.heard).toEqual(['joined 5', 'transition 6'])
  expect(again.heard).toEqual(['transition 3', 'transition 4', 'transition 5', 'joined 5', 'transition 6'])
})

test('beyond a thousand that were missed, or of a place that is not there, a reset is told instead', async () => {
  world.change('pay', 'payments', 1001)
  const [far, near, ahead] = [
    hear(world.feed, undefined, 0),
    hear(world.feed, undefined, 1),
    hear(world.feed, undefined, 5000),
  ]
  await pass()
  expect(far.heard).toEqual(['reset 1001', 'joined 1001'])
  expect(near.heard).toHaveLength(1001)
  expect(ahead.heard).toEqual(['reset 1001', 'joined 1001'])
  world.change('pay', 'payments', 5000)
  await pass(3)
  expect(far.heard.slice(2)).toEqual(['reset 6001'])
})

test('a store that does not answer for a while loses nothing', async () => {
  const { heard } = hear(world.feed)
  await pass()
  world.breakStore(true)
  world.judge('pay', 1000)
  world.change('pay', 'payments')
  await pass(5)
  world.breakStore(false)
  await pass(2)
  expect(heard).toEqual(['joined 0', 'transition 1', 'status pay'])
})

test('who left before he was admitted hears nothing', async () => {
  const { heard, leave } = hear(world.feed)
  leave()
  world.change('pay', 'payments')
  await pass(3)
  expect(heard).toEqual([])
})

test('after its stop nothing is asked', async () => {
  hear(world.feed)
  await pass(2)
  await world.feed.stop()
  const { ...asked } = world.asked
  hear(world.feed)
  await pass(10)
  expect(world.asked).toEqual(asked)
})
