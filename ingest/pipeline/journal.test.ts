import { appendFileSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { hash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openJournal as open, REPEAT_WINDOW_MS, type Journal, type JournalItem } from './journal.ts'

let folder: string
let nowMs: number
const clock = { now: () => nowMs }
const opened: Journal[] = []

/** As another process would after a crash: the earlier journal is not closed first. */
async function openJournal(...given: Parameters<typeof open>): Promise<Journal> {
  const journal = await open(...given)
  opened.push(journal)
  return journal
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'surety-journal-'))
  nowMs = Date.UTC(2026, 10, 20)
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
