import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { hash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openJournal as open, REPEAT_WINDOW_MS, type Journal, type JournalItem } from './journal.ts'

let folder: string
let nowMs: number
let setByMs: number
const steady = { now: () => nowMs }
/** The system's clock, which somebody may set. */
const clock = { now: () => nowMs + setByMs }
const opened: Journal[] = []

/** As another process would after a crash: the earlier journal is not closed first. */
async function openJournal(...[path, wall]: Parameters<typeof open>): Promise<Journal> {
  const journal = await open(path, wall, steady)
  opened.push(journal)
  return journal
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'surety-journal-'))
  nowMs = Date.UTC(2026, 10, 20)
  setByMs = 0
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((journal) => journal.close()))
  rmSync(folder, { recursive: true, force: true })
})

const item = (text: string): JournalItem => ({
  digest: hash('sha256', text),
  origin: 'otlp/http',
  body: Buffer.from(text),
})
const batch = (token: string, ...texts: string[]) => ({ token, items: texts.map(item) })
const text = ({ items }: { items: readonly JournalItem[] }) =>
  items.map(({ body }) => Buffer.from(body).toString())

test('a batch that was begun and not ended is there after a crash, whole and in order', async () => {
  const first = await openJournal(folder, clock)
  await first.begin(batch('doors/a/1', 'one', '', 'two\n\nDROP TABLE spans'))
  await first.begin(batch('doors/a/2', 'three'))
  await first.end(batch('doors/a/2', 'three'))
  const second = await openJournal(folder, clock)
  expect(second.unfinished().map(({ token }) => token)).toEqual(['doors/a/1'])
  expect(second.unfinished().map(text)).toEqual([['one', '', 'two\n\nDROP TABLE spans']])
  expect(second.unfinished()[0]?.items.map(({ digest }) => digest)).toEqual(
    batch('', 'one', '', 'two\n\nDROP TABLE spans').items.map(({ digest }) => digest),
  )
})

test('a request is known as stored from the end of its batch, across a restart, for ten minutes', async () => {
  const { digest } = item('one')
  const first = await openJournal(folder, clock)
  expect(first.isStored(digest)).toBe(false)
  await first.begin(batch('t', 'one'))
  expect(first.isStored(digest)).toBe(false)
  await first.end(batch('t', 'one'))
  expect(first.isStored(digest)).toBe(true)
  const second = await openJournal(folder, clock)
  expect(second.isStored(digest)).toBe(true)
  nowMs += REPEAT_WINDOW_MS
  expect(second.isStored(digest)).toBe(true)
  nowMs += 1
  expect(second.isStored(digest)).toBe(false)
  expect((await openJournal(folder, clock)).isStored(digest)).toBe(false)
})

test('digests survive the change of files and old ones are let go', async () => {
  const journal = await openJournal(folder, clock)
  for (let round = 0; round < 5; round += 1) {
    await journal.end(batch(`t${round}`, `text ${round}`))
    nowMs += REPEAT_WINDOW_MS * 0.6
  }
  const again = await openJournal(folder, clock)
  const known = [0, 1, 2, 3, 4].map((round) => again.isStored(item(`text ${round}`).digest))
  expect(known).toEqual([false, false, false, false, true])
  expect(readdirSync(folder).length).toBeLessThanOrEqual(2)
})

test('half a batch on disk was never acknowledged and is passed over', async () => {
  const journal = await openJournal(folder, clock)
  await journal.begin(batch('whole', 'one'))
  await journal.begin(batch('cut', 'two'))
  truncateSync(join(folder, 'cut.batch'), 20)
  writeFileSync(join(folder, 'other.batch'), 'not a batch')
  writeFileSync(join(folder, 'x.batch.draft'), '{')
  const again = await openJournal(folder, clock)
  expect(again.unfinished().map(({ token }) => token)).toEqual(['whole'])
})

test('half a digest at the end of the log is passed over', async () => {
  const journal = await openJournal(folder, clock)
  await journal.end(batch('t', 'one'))
  appendFileSync(join(folder, 'digests-0.log'), Buffer.alloc(17, 1))
  expect((await openJournal(folder, clock)).isStored(item('one').digest)).toBe(true)
})

test.each([
  { name: 'forward two hours', byMs: 7_200_000 },
  { name: 'back two hours', byMs: -7_200_000 },
  { name: 'back before anything was stored', byMs: -Date.UTC(2026, 0, 1) },
])('a clock that is set $name makes no repeated request new and keeps none for ever', async ({ byMs }) => {
  const journal = await openJournal(folder, clock)
  await journal.end(batch('before', 'one'))
  nowMs += 1000
  setByMs = byMs
  await journal.end(batch('after', 'two'))
  const known = () => ['one', 'two'].map((body) => journal.isStored(item(body).digest))
  expect(known()).toEqual([true, true])
  nowMs += REPEAT_WINDOW_MS - 500
  expect(known()).toEqual([false, true])
  nowMs += 1000
  expect(known()).toEqual([false, false])
})

test('a clock that was set back while nobody ran keeps what was stored for ten minutes more, not for hours', async () => {
  await (await openJournal(folder, clock)).end(batch('t', 'one'))
  setByMs = -7_200_000
  const journal = await openJournal(folder, clock)
  expect(journal.isStored(item('one').digest)).toBe(true)
  nowMs += REPEAT_WINDOW_MS + 1
  expect(journal.isStored(item('one').digest)).toBe(false)
})

test('digests that follow half a digest are in step again', async () => {
  const first = await openJournal(folder, clock)
  await first.end(batch('t', 'one'))
  appendFileSync(join(folder, 'digests-0.log'), Buffer.alloc(17, 1))
  await (await openJournal(folder, clock)).end(batch('u', 'two'))
  const again = await openJournal(folder, clock)
  expect(['one', 'two'].map((body) => again.isStored(item(body).digest))).toEqual([true, true])
})

test('what cannot be written is no batch: its senders are told, and a start does not find it', async () => {
  const journal = await openJournal(folder, clock)
  // A folder stands where the draft would.
  mkdirSync(join(folder, 't.batch.draft'))
  await expect(journal.begin(batch('t', 'one'))).rejects.toMatchObject({
    code: 'SURETY_STORE_BUSY',
    message: expect.stringMatching(/^The disk under SURETY_DATA_DIR cannot be written \(EISDIR/) as string,
  })
  expect((await openJournal(folder, clock)).unfinished()).toEqual([])
})
