// Verdicts, overrides and records of windows as they are kept, on the embedded database and on a server; and the routes that tell them.

import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verdictEvents } from '../../alerts/publish/release-event.ts'
import { buildVerdictMetrics } from '../../alerts/verdicts/verdict-metrics.ts'
import { writeWindowRecords } from '../../alerts/verdicts/window-records.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import type { ChangesReply } from '../../query/http/change-schemas.ts'
import type { ReleaseVerdict } from '../../query/http/release-schemas.ts'
import type { AccuracyReply, ChainReply, WindowReply } from '../../query/http/verdict-schemas.ts'
import { buildRegistry } from '../../query/registry/registry.ts'
import type { Store } from '../../ingest/store/store.ts'
import type { Database } from '../../query/registry/database.ts'
import type { Author } from '../../query/registry/object.ts'
import type { Release } from '../../query/releases/release.ts'
import { releaseEffect } from '../../query/verdicts/effect.ts'
import { releaseVerdict } from '../../query/verdicts/release-verdict.ts'
import {
  keepVerdict,
  overrideVerdict,
  readAgreement,
  readChanges,
  readDue,
  readVerdict,
  readVerdicts,
  readWords,
  wordOf,
} from '../../query/verdicts/verdict-store.ts'
import { firstBroken, signerOf } from '../../query/windows/record-chain.ts'
import { windowPlan } from '../../query/windows/release-window.ts'
import { readRecords } from '../../query/windows/window-store.ts'
import { Registry } from 'prom-client'
import { viewerOf } from '../support/api-people.ts'
import { applyDocuments, BANK, putSpans } from '../support/bank-systems.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'
import { REGISTRY_KINDS, type RegistryPlace } from '../support/test-registries.ts'
import { play, READY_MS, type Play } from '../support/verdict-traffic.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const author: Author = { actor: 'wang', via: 'session', origin: '127.0.0.1', reason: 'CHG-1', request: 'r1' }
const WORSE: Play = { minutes: 15, added: { system: 0.05 } }
const BUSINESS: Play = { minutes: 15, added: { business: 0.05 } }
const FINE: Play = { minutes: 60, perMinute: 200 }
const OPEN: Play = { minutes: 8, perMinute: 5 }

/** Judged as the loop judges, and kept. */
async function keep(
  database: Database,
  given: Play,
  release: Partial<Release>,
  owner: { system?: string; team?: string } = {},
) {
  const shift = (release.readyAtMs ?? READY_MS) - READY_MS
  const made = play({ ...given, release: { ...release, readyAtMs: READY_MS } })
  const verdict = releaseVerdict(made)
  const decidedAt = new Date(made.nowMs + shift).toISOString()
  const known = {
    ...made.release,
    readyAtMs: READY_MS + shift,
    startedAtMs: READY_MS + shift - MINUTE_MS,
    ...release,
  }
  const told = { ...verdict, decidedAt }
  const effect = releaseEffect(made)
  await keepVerdict(
    database,
    {
      release: known,
      verdict: told,
      effect:
        effect === undefined
          ? undefined
          : {
              ...effect,
              worseSinceMs: effect.worseSinceMs === undefined ? undefined : effect.worseSinceMs + shift,
              recoveredAtMs: effect.recoveredAtMs === undefined ? undefined : effect.recoveredAtMs + shift,
            },
      nextAtMs: undefined,
      system: owner.system ?? 'core-payment',
      team: owner.team ?? 'pay-team',
      vendor: undefined,
    },
    (was, number) => verdictEvents(known, told, was, number),
  )
  return told
}

describe.each(REGISTRY_KINDS)('kept on $name', (kind) => {
  let place: RegistryPlace
  let database: Database

  beforeAll(async () => {
    place = await kind.make()
    database = await place.open()
  })
  afterAll(async () => {
    await database.close()
    await place.remove()
  })

  test('the newest verdict and every change of its word; a change to worse is told outward, once', async () => {
    const open = await keep(database, OPEN, { id: 'a' })
    await keep(database, OPEN, { id: 'a' })
    const worse = await keep(database, WORSE, { id: 'a' })
    await keep(database, WORSE, { id: 'a' })
    expect((await readVerdict(database, 'a'))?.verdict).toEqual(worse)
    expect((await readChanges(database, 'a')).map(({ was, verdict }) => [was, verdict])).toEqual([
      [undefined, 'cannot-tell'],
      ['cannot-tell', 'worse'],
    ])
    expect(open.requestsMissing).toBeGreaterThan(0)
    const told = await database.rows(`SELECT event FROM release_verdict_events WHERE release = 'a'`)
    expect(told).toHaveLength(1)
    expect(told[0]?.['event']).toMatchObject({
      type: 'dev.cdeventsx.surety-verdict.changed.0.1.0',
      subject: 'a',
    })
    expect((await readDue(database, ['a', 'none'])).get('a')).toEqual({
      nextAtMs: undefined,
      failures: 0,
      stages: 1,
    })
  })

  test('by service and version the newest release of it', async () => {
    await keep(database, FINE, { id: 'old', service: 'x@y', readyAtMs: READY_MS - HOUR_MS })
    await keep(database, FINE, { id: 'new', service: 'x@y' })
    expect((await readVerdict(database, 'x@y@1.1'))?.release.id).toBe('new')
    expect(await readVerdict(database, 'x@y@1.2')).toBeUndefined()
    expect(await readVerdict(database, `'; DROP TABLE release_verdicts; --`)).toBeUndefined()
  })

  test('what a person decides stands beside ours, in the audit, and survives our next verdict', async () => {
    await keep(database, WORSE, { id: 'b', service: 'card' })
    const kept = await readVerdict(database, 'b')
    if (kept === undefined) throw new Error('not kept')
    const said = { verdict: 'not-worse', reason: 'known noise <b>' } as const
    const decided = await overrideVerdict(database, kept, said, 0, author, new Date(READY_MS))
    expect(decided?.verdict).toMatchObject({
      verdict: 'worse',
      override: {
        verdict: 'not-worse',
        reason: 'known noise <b>',
        by: 'wang',
        at: new Date(READY_MS).toISOString(),
      },
    })
    expect(decided?.revision).toBe(1)
    // Somebody who saw none is told that there is one.
    expect(await overrideVerdict(database, kept, said, 0, author, new Date(READY_MS))).toBeUndefined()
    await keep(database, FINE, { id: 'b', service: 'card' })
    const after = await readVerdict(database, 'b')
    expect(after?.verdict).toMatchObject({ verdict: 'not-worse', override: { verdict: 'not-worse' } })
    expect((await readWords(database, ['b'])).get('b')?.verdict).toBe('not-worse')
    // What we said then counts, not what we say now.
    const range = { fromMs: READY_MS - 1, toMs: READY_MS + 1 }
    expect(await readAgreement(database, range)).toEqual([
      { ours: 'worse', theirs: 'not-worse', system: 'core-payment', count: 1 },
    ])
    const audit = await database.rows(
      `SELECT actor, action, reason, after FROM audit WHERE kind = 'release-override'`,
    )
    expect(audit).toEqual([
      {
        actor: 'wang',
        action: 'create',
        reason: 'CHG-1',
        after: { release: 'b', verdict: 'not-worse', reason: 'known noise <b>', ours: 'worse' },
      },
    ])
  })

  describe('records of windows', () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const signer = signerOf(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
    const plan = windowPlan('22:00-06:00', '07:30', 'Asia/Shanghai')
    /** Midnight in Shanghai. */
    const night = Date.parse('2026-11-20T16:00:00Z')
    let nowMs = Date.parse('2026-11-20T23:00:00Z')
    const write = (isSigned = true) =>
      writeWindowRecords({
        store,
        registry: buildRegistry(database, () => new Date(nowMs)),
        database,
        plan,
        signer: isSigned ? signer : undefined,
        metrics: buildVerdictMetrics(new Registry()),
        logger: buildLogger('silent'),
        clock: { now: () => nowMs, monotonic: () => nowMs } as never,
      })
    // There is no order, so that no release is asked for.
    const store = { ask: () => Promise.reject(new Error('asked')) } as unknown as Store
    const records = () => readRecords(database, { after: 0, limit: 100 })

    test('are written once when the hour has come, and anew when what is said changed', async () => {
      await keep(database, FINE, { id: 'n1', readyAtMs: night })
      await keep(database, OPEN, { id: 'n2', readyAtMs: night + HOUR_MS })
      // The hour of the night before has come, and nothing was released in it.
      expect(await write()).toBe(1)
      nowMs = Date.parse('2026-11-20T23:31:00Z')
      expect(await write()).toBe(1)
      expect(await write()).toBe(0)
      await keep(database, WORSE, { id: 'n2', readyAtMs: night + HOUR_MS })
      expect(await write()).toBe(1)
      const written = await records()
      expect(written.map(({ window, body }) => [window, (JSON.parse(body) as WindowReply).verdict])).toEqual([
        ['2026-11-19', 'go'],
        ['2026-11-20', 'watch'],
        ['2026-11-20', 'roll-back'],
      ])
      expect(firstBroken(written, undefined, signer.publicKey)).toBeUndefined()
      const order = await readVerdicts(database, { fromMs: night - HOUR_MS, toMs: night + 2 * HOUR_MS }, 10)
      expect(order.map(({ release, verdict }) => [release.id, wordOf(verdict)])).toEqual([
        ['n1', 'not-worse'],
        ['n2', 'worse'],
      ])
    })

    test('after a pause the nights in between are caught up', async () => {
      await keep(database, FINE, { id: 'n3', readyAtMs: night + 24 * HOUR_MS })
      nowMs = Date.parse('2026-11-23T10:00:00Z')
      expect(await write(false)).toBe(2)
      const [caught, last] = (await records()).slice(-2)
      expect([caught?.window, last?.window]).toEqual(['2026-11-21', '2026-11-22'])
      expect(caught).toMatchObject({ signature: null, publicKey: null })
      expect(firstBroken(await records())).toBeUndefined()
    })

    test('cannot be changed; and where somebody does, one byte is noticed', async () => {
      await expect(
        database.rows(`UPDATE release_window_records SET body = 'x' WHERE sequence = 2`),
      ).rejects.toThrow(/only added to/)
      await expect(database.rows('DELETE FROM release_window_records')).rejects.toThrow(/only added to/)
      await database.script('ALTER TABLE release_window_records DISABLE TRIGGER USER')
      await database.rows(
        `UPDATE release_window_records SET body = replace(body, '"watch"', '"watcH"') WHERE sequence = 2`,
      )
      expect(firstBroken(await records())?.sequence).toBe(2)
      await database.rows(
        `UPDATE release_window_records SET body = replace(body, '"watcH"', '"watch"') WHERE sequence = 2`,
      )
      expect(firstBroken(await records())).toBeUndefined()
    })
  })
})

describe('over HTTP', () => {
  let surety: TestSurety
  let database: Database
  const nowMs = Date.now()
  const readyAtMs = Math.floor(nowMs / MINUTE_MS) * MINUTE_MS - 90 * MINUTE_MS

  beforeAll(async () => {
    surety = await startSurety({}, ['ingest', 'query'])
    await applyDocuments(surety, 'systems', BANK)
    if (surety.query === undefined) throw new Error('the role query does not run')
    database = surety.query.database
    await keep(database, WORSE, { id: 'pay/2 ä', service: 'pay', versionTo: '2', readyAtMs })
    await keep(
      database,
      BUSINESS,
      { id: 'card-3', service: 'card', versionTo: '3', readyAtMs },
      { system: 'cards' },
    )
    await keep(database, OPEN, {
      id: 'pay-4',
      service: 'pay',
      versionTo: '4',
      readyAtMs: readyAtMs + HOUR_MS,
    })
    await putSpans(
      surety,
      { service: 'pay', fromMs: readyAtMs - 30 * MINUTE_MS, count: 60, everyMs: 60_000 },
      {
        service: 'pay',
        version: '2',
        outcome: 'system_error',
        fromMs: readyAtMs,
        count: 10,
        everyMs: 60_000,
      },
    )
  })
  afterAll(() => surety.stop())

  const ask = (path: string, init: RequestInit = {}) => fetch(surety.url + path, init)
  const decide = (id: string, body: object, headers: Record<string, string> = {}) =>
    ask(`/api/v1/releases/${encodeURIComponent(id)}/override`, {
      method: 'POST',
      headers: { ...surety.asLocal, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  test('a gate reads one word, or everything, and what it has already is not sent again', async () => {
    const address = `/api/v1/releases/${encodeURIComponent('pay/2 ä')}/verdict`
    const reply = await ask(address)
    expect(reply.headers.get('surety-verdict')).toBe('worse')
    const etag = reply.headers.get('etag') ?? ''
    expect(((await reply.json()) as ReleaseVerdict).fault).toBe('technical')
    expect((await ask(address, { headers: { 'if-none-match': etag } })).status).toBe(304)
    expect(await (await ask('/api/v1/releases/pay@2/verdict?format=word')).text()).toBe('worse\n')
    expect(await (await ask('/api/v1/releases/pay@4/verdict?format=word')).text()).toBe('cannot-tell\n')
    expect(await surety.get('/api/v1/releases/pay@9/verdict', 404)).toMatchObject({
      code: 'SURETY_NOT_FOUND',
    })
  })

  test('a person decides; who saw less is told, who may not is refused, and both count', async () => {
    const body = { verdict: 'not-worse', reason: 'the partner was down' }
    expect((await decide('card-3', { ...body, reason: ' ' })).status).toBe(400)
    const decided = await decide('card-3', body, { 'if-match': '"0"' })
    expect([decided.status, decided.headers.get('surety-override-revision')]).toEqual([200, '1'])
    expect(await decided.json()).toMatchObject({
      verdict: 'worse',
      fault: 'business',
      override: { verdict: 'not-worse' },
    })
    const late = await decide('card-3', body, { 'if-match': '"0"' })
    expect([late.status, await late.json()]).toEqual([
      409,
      expect.objectContaining({ code: 'SURETY_DECIDED' }),
    ])
    const visitor = await ask('/api/v1/releases/card-3/override', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    expect([401, 403]).toContain(visitor.status)
    expect(await (await ask('/api/v1/releases/card@3/verdict?format=word')).text()).toBe('not-worse\n')
    await decide('pay/2 ä', { verdict: 'worse', reason: 'seen it' })
    expect(await surety.get<AccuracyReply>('/api/v1/reports/verdict-accuracy')).toMatchObject({
      decided: 2,
      agreed: 1,
      agreementRatio: 0.5,
    })
  })

  test('verdicts are read as far as the caller may', async () => {
    const asViewer = await viewerOf(surety, 'card-viewer', ['cards'])
    await asViewer('/api/v1/releases/card@3/verdict')
    await asViewer('/api/v1/releases/pay@2/verdict', 404)
    expect(
      (await asViewer<ChangesReply>('/api/v1/reports/changes')).items.map(({ service }) => service),
    ).toEqual(['card'])
    await asViewer('/api/v1/release-windows/chain', 403)
  })

  test('the change effect ledger, as JSON and as CSV', async () => {
    const reply = await surety.get<ChangesReply>('/api/v1/reports/changes?from=-1d')
    expect(reply.items.map(({ service, version, isFailure }) => [service, version, isFailure])).toEqual([
      ['card', '3', false],
      ['pay', '2', true],
      ['pay', '4', false],
    ])
    const pay = reply.items[1]
    expect(pay).toMatchObject({
      counterfactual: 'concurrent',
      before: { requests: 30, bad: 0 },
      after: { requests: 40, bad: 10 },
    })
    expect(pay?.lostRequests).toBeGreaterThan(30)
    expect(reply.totals[0]).toMatchObject({
      by: 'all',
      releases: 3,
      judged: 2,
      failures: 1,
      changeFailureRatio: 0.5,
    })
    const csv = await (await ask('/api/v1/reports/changes?from=-1d&format=csv&system=cards')).text()
    expect(csv.split('\r\n')).toHaveLength(3)
  })

  test('a night as it stands, and nights in a list', async () => {
    // Yesterday in Shanghai, an hour after the window opened.
    const date = new Date(nowMs + 8 * HOUR_MS - 24 * HOUR_MS).toISOString().slice(0, 10)
    const open = Date.parse(`${date}T23:00:00+08:00`)
    await keep(database, WORSE, { id: 'night', service: 'pay', versionTo: '5', readyAtMs: open })
    const night = await surety.get<WindowReply>(`/api/v1/release-windows/${date}`)
    expect(night).toMatchObject({ id: date, timeZone: 'Asia/Shanghai', verdict: 'roll-back', records: [] })
    const line = night.lines.find(({ system }) => system === 'core-payment')
    expect(line?.releases.map(({ id }) => id)).toContain('night')
    expect(line?.text.zh).toContain('建议回退')
    expect(await surety.get('/api/v1/release-windows/2026-02-30', 404)).toMatchObject({
      code: 'SURETY_NOT_FOUND',
    })
    const { items } = await surety.get<{ items: readonly object[] }>('/api/v1/release-windows?from=-3d')
    expect(items.length).toBeGreaterThanOrEqual(2)
    expect(await surety.get<ChainReply>('/api/v1/release-windows/chain')).toMatchObject({
      records: [],
      isWhole: true,
    })
  })
})

test('openssl checks a signature with nothing but the body and the public key', () => {
  const folder = mkdtempSync(join(tmpdir(), 'surety-chain-'))
  try {
    const signer = signerOf(Buffer.alloc(32, 9).toString('base64'))
    const body = '{"window":"投产"}'
    const write = (name: string, content: string | Buffer) => writeFileSync(join(folder, name), content)
    write('body', body)
    write('key.pem', signer.publicKey)
    write('signature', Buffer.from(signer.sign(body), 'base64'))
    const check = () =>
      execFileSync(
        'openssl',
        [
          'pkeyutl',
          '-verify',
          '-pubin',
          '-inkey',
          'key.pem',
          '-rawin',
          '-in',
          'body',
          '-sigfile',
          'signature',
        ],
        { cwd: folder, stdio: 'pipe' },
      ).toString()
    expect(check()).toContain('Signature Verified Successfully')
    write('body', `${body} `)
    expect(check).toThrow(/Command failed/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
