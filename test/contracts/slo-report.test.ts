// Reports over a calendar month and the downtime of systems, on the real engine, against figures that are worked out by hand here.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reportPeriod } from '../../query/calendar/report-period.ts'
import { dateOf } from '../../query/calendar/zoned-time.ts'
import type { DowntimeReply, ReportItem, ReportSlo, SloReport } from '../../query/http/report-schemas.ts'
import { readFiguresAt } from '../../query/promises/status-store.ts'
import { present } from '../support/present.ts'
import { startSurety, type TestSurety } from '../support/surety.ts'

const ZONE = 'Asia/Shanghai'
const MINUTE = 60_000
/** The last whole month: what slices keep, whenever this runs. */
const MONTH = dateOf(
  present(reportPeriod(dateOf(Date.now(), ZONE).slice(0, 7), ZONE)).fromMs - 1,
  ZONE,
).slice(0, 7)
const { fromMs, toMs } = present(reportPeriod(MONTH, ZONE))
const MINUTES = (toMs - fromMs) / MINUTE
/** Known are all minutes but the first ten and those of the last day. */
const KNOWN_FROM = 10
const KNOWN_TO = MINUTES - 1440
const KNOWN = KNOWN_TO - KNOWN_FROM
/** Of 1,000 events a minute one failed in these, and all from minute 100 to 160. */
const SINGLE = Math.floor((KNOWN_TO - 1) / 1000)
const HOSTILE = '=HYPERLINK("http://x")<script>alert(1)</script>'

const at = (minute: number) => new Date(fromMs + minute * MINUTE).toISOString()

const ratio = (name: string, service: string, more: string, objectives: string, spec = '') => `---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: ${name}
  displayName: ${JSON.stringify(name === 'pay-availability' ? HOSTILE : name)}
spec:
  service: pay
  indicator:
    metadata: { name: ${name} }
    spec:
      ratioMetric:
        counter: true
        good: { metricSource: { type: Surety, spec: { outcomes: [ok, business_reject] } } }
        total: { metricSource: { type: Surety, spec: { signal: requests, where: { service: ${service} }${more} } } }
  timeWindow: [{ duration: 30d, isRolling: true }]
  ${spec}
  objectives: [${objectives}]
`

/** Of pay and ledger, weighed two to one. */
const composite = (name: string, method: string, more: string) => `---
apiVersion: openslo/v1
kind: SLO
metadata: { name: ${name}, annotations: { surety/composite-target: '0.99' } }
spec:
  service: pay
  timeWindow: [{ duration: 30d, isRolling: true }]
  budgetingMethod: ${method}
  objectives:${['pay', 'ledger']
    .map(
      (service, place) => `
    - target: 0.99
      compositeWeight: ${2 - place}${more === '' ? '' : more.replaceAll(', ', '\n      ')}
      indicator:
        metadata: { name: ${name}-${service} }
        spec:
          ratioMetric:
            counter: true
            good: { metricSource: { type: Surety, spec: { outcomes: [ok, business_reject] } } }
            total: { metricSource: { type: Surety, spec: { signal: requests, where: { service: ${service} } } } }`,
    )
    .join('')}
`

const FILES = `apiVersion: surety/v1
kind: Team
metadata: { name: payments }
---
apiVersion: surety/v1
kind: System
metadata: { name: core-payment }
spec: { team: payments, tier: general, type: core, origin: in-house }
---
apiVersion: surety/v1
kind: System
metadata: { name: edge }
spec: { team: payments, tier: critical, type: channel, origin: in-house, recovery: { downtimeSecondsPerYear: 100 } }
---
apiVersion: surety/v1
kind: System
metadata: { name: silent }
spec: { team: payments, tier: office, type: other, origin: in-house }
---
apiVersion: surety/v1
kind: Service
metadata: { name: pay }
spec: { system: core-payment }
---
apiVersion: surety/v1
kind: Service
metadata: { name: gateway }
spec: { system: edge }
---
apiVersion: surety/v1
kind: Exclusion
metadata: { name: planned-work }
spec:
  reason: Moved <b>everything</b>
  approver: Wang Wei
  ticket: CHG-4711
  from: '${at(130)}'
  to: '${at(160)}'
  appliesTo: { systems: [core-payment] }
---
apiVersion: surety/v1
kind: Exclusion
metadata: { name: own-work }
spec:
  reason: One SLO alone
  approver: Li Na
  ticket: CHG-4712
  from: '${at(100)}'
  to: '${at(110)}'
  appliesTo: { slos: [pay-availability] }
${ratio('pay-availability', 'pay', '', '{ target: 0.999 }', 'budgetingMethod: Occurrences')}
${ratio('pay-slices', 'pay', '', '{ target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 5m }', 'budgetingMethod: Timeslices')}
${ratio('pay-regions', 'pay', ', groupBy: [region]', '{ target: 0.9 }', 'budgetingMethod: Occurrences')}
${ratio('ledger-availability', 'ledger', '', '{ target: 0.99 }', 'budgetingMethod: Occurrences')}
${ratio('edge-availability', 'edge', '', '{ target: 0.99999 }', 'budgetingMethod: Occurrences').replace('service: pay\n', 'service: gateway\n')}
${composite('journey', 'Occurrences', '')}
${composite('journey-slices', 'Timeslices', ', timeSliceTarget: 0.9, timeSliceWindow: 5m')}
${ratio('changing', 'elsewhere', '', '{ target: 0.9 }', 'budgetingMethod: Occurrences')}
`

let surety: TestSurety
let month: SloReport

beforeAll(async () => {
  surety = await startSurety({}, ['ingest', 'query'])
  await apply(FILES)
  const slices = (series: string, step: number, minutes: string, good: string, total: string, group = '') =>
    surety.store().command(
      `INSERT INTO sli_slices (series, step, slo_group, start, good, total, is_known, revision, measured_at)
      SELECT '${series}', ${step}, '${group}', toDateTime(${fromMs / 1000} + toUInt32(number * ${step}), 'UTC'), ${good}, ${total}, true, 1, now64(3)
      FROM numbers(${minutes})`,
    )
  const pay = await seriesOf('pay-availability')
  const range = `${KNOWN_FROM}, ${KNOWN}`
  await slices(
    pay,
    60,
    range,
    'multiIf(number >= 100 AND number < 160, 0, number % 1000 = 0, 999000, 1000000)',
    '1000000',
  )
  const ledger = await seriesOf('ledger-availability')
  await slices(
    ledger,
    60,
    range,
    'multiIf(number = 500, 0, number = 510, 10000, 100000)',
    'multiIf(number = 500, 19000, number = 510, 20000, 100000)',
  )
  const regions = await seriesOf('pay-regions')
  await slices(regions, 60, '100, 50', '1000', '2000', '["east"]')
  await slices(regions, 60, '100, 50', '3000', '3000', '["=west"]')
  // As it is measured until the first group comes.
  await slices(regions, 60, '90, 5', '0', '0')
  const edge = await seriesOf('edge-availability')
  await slices(edge, 10, '600, 100', 'if(number >= 650 AND number < 653, 0, 50000)', '50000')
  await surety.query?.database.rows(
    `INSERT INTO slo_transitions (at, judged_at, slo, objective, slo_group, system, generation, transition)
    SELECT at, at, 'pay-availability', 0, '', 'core-payment', 1, transition FROM (VALUES
      ($1::timestamptz, '{"subject": "outage", "atMs": 1, "from": "inactive", "to": "firing"}'::jsonb),
      ($2, '{"subject": "budget", "atMs": 2, "from": "left", "to": "exhausted"}'),
      ($3, '{"subject": "outage", "atMs": 3, "from": "firing", "to": "inactive"}'),
      ($3, '{"subject": "condition", "atMs": 3, "from": "outage", "to": "exhausted"}'),
      ($4, '{"subject": "outage", "atMs": 4, "from": "inactive", "to": "firing"}')) AS given (at, transition)`,
    [at(100), at(120), at(160), at(MINUTES)],
  )
  await apply(FILES.replace('service: elsewhere', 'service: somewhere'))
  month = await report(`period=${MONTH}`)
})
afterAll(() => surety.stop())

async function apply(text: string): Promise<void> {
  const reply = await fetch(`${surety.url}/api/v1/registry/apply?reason=as%20agreed`, {
    method: 'POST',
    headers: { ...surety.asLocal, 'content-type': 'application/json' },
    body: JSON.stringify({ files: [{ file: 'bank.yaml', text }] }),
  })
  if (reply.status !== 200) throw new Error(await reply.text())
}

async function seriesOf(slo: string): Promise<string> {
  const { questions } = await surety.get<{ questions: { series: string }[] }>(`/api/v1/slos/${slo}`)
  return present(questions[0]).series
}

const report = (query: string) => surety.get<SloReport>(`/api/v1/reports/slos?${query}`)
const sloOf = (of: SloReport, name: string): ReportSlo => present(of.slos.find(({ slo }) => slo === name))
const itemOf = (of: SloReport, name: string): ReportItem => present(sloOf(of, name).items[0])
const text = async (query: string) => {
  const reply = await fetch(`${surety.url}/api/v1/reports/slos?${query}`)
  expect(reply.status).toBe(200)
  return { body: Buffer.from(await reply.arrayBuffer()).toString(), headers: reply.headers }
}

describe('a report over a month', () => {
  test('counts events with and without what is excluded, as a hand does', () => {
    const { withExclusions: net, withoutExclusions: gross, ...item } = itemOf(month, 'pay-availability')
    expect(month).toMatchObject({ from: at(0), to: at(MINUTES), countedTo: at(MINUTES), isOver: true })
    expect(gross).toMatchObject({ kind: 'known', total: KNOWN * 1000, bad: 60_000 + SINGLE })
    expect(gross.coverage).toBeCloseTo(KNOWN / MINUTES, 12)
    // Forty minutes of the hour are excluded: thirty for the system, ten for this SLO alone.
    const total = (KNOWN - 40) * 1000
    const bad = 20_000 + SINGLE
    expect(net).toMatchObject({ kind: 'known', total, bad, good: total - bad })
    expect(net.sliRatio).toBeCloseTo(1 - bad / total, 12)
    expect(net.coverage).toBeCloseTo((KNOWN - 40) / (MINUTES - 40), 12)
    expect(net.budget).toMatchObject({ unit: 'events', isEstimate: false, spent: bad })
    expect(net.budget?.allowed).toBeCloseTo(total / 1000, 6)
    expect(net.budget?.remaining).toBeCloseTo(total / 1000 - bad, 6)
    expect(net.budget?.remainingRatio).toBeCloseTo(1 - bad / (total / 1000), 9)
    expect(item).toMatchObject({
      badMinutes: 20 + SINGLE,
      badMinutesWithoutExclusions: 60 + SINGLE,
      knownFrom: at(KNOWN_FROM),
      target: 0.999,
    })
  })

  test('counts time slices by the arithmetic that judges them', () => {
    const { withExclusions: net, withoutExclusions: gross } = itemOf(month, 'pay-slices')
    const known = KNOWN / 5
    expect(gross).toMatchObject({ kind: 'known', total: known, bad: 12 })
    expect(net).toMatchObject({ kind: 'known', total: known - 6, bad: 6 })
    expect(net.sliRatio).toBeCloseTo(1 - 6 / (known - 6), 12)
    expect(net.budget?.unit).toBe('slices')
    expect(net.budget?.allowed).toBeCloseTo(MINUTES / 5 / 100, 9)
    expect(net.budget?.remainingRatio).toBeCloseTo(1 - 6 / (known - 6) / 0.01, 9)
  })

  test('adds up composites as they are judged: burn rates by weight, time slices that are bad for any part', () => {
    const { withExclusions: net, badMinutes } = itemOf(month, 'journey')
    // Thirty minutes are excluded for the system: pay lost thirty whole minutes, ledger 19 and 10 events.
    const pay = (30_000 + SINGLE) / ((KNOWN - 30) * 1000)
    const ledger = 29 / ((KNOWN - 32) * 100 + 39)
    expect(net.sliRatio).toBeCloseTo(1 - (2 * (pay / 0.01) + ledger / 0.01) * 0.01, 12)
    expect(net.budget?.remainingRatio).toBeCloseTo(1 - (2 * pay + ledger) / 0.01, 9)
    expect(badMinutes).toBe(30 + SINGLE + 2)
    // Six time slices of pay, and the two of ledger in which 19 of 419 and 10 of 420 failed are good ones.
    expect(itemOf(month, 'journey-slices').withExclusions).toMatchObject({ total: KNOWN / 5 - 6, bad: 6 })
  })

  test('tells groups apart, and says no-data where too little is known', () => {
    const { items } = sloOf(month, 'pay-regions')
    expect(items.map(({ group }) => group)).toEqual([{ region: '=west' }, { region: 'east' }])
    for (const { withoutExclusions } of items) {
      expect(withoutExclusions).toMatchObject({ kind: 'no-data', sliRatio: null, budget: null })
      expect(withoutExclusions.coverage).toBeCloseTo(50 / MINUTES, 12)
    }
    expect(items[1]?.withoutExclusions).toMatchObject({ good: 50, total: 100, bad: 50 })
    // Thirty of them from minute 100 to 130.
    expect(items[1]?.withExclusions).toMatchObject({ good: 30, total: 60 })
  })

  test('names exclusions with their reason, approver and ticket, and says which were entered afterwards', () => {
    expect(sloOf(month, 'pay-availability').exclusions).toMatchObject([
      {
        name: 'own-work',
        reason: 'One SLO alone',
        approver: 'Li Na',
        ticket: 'CHG-4712',
        stretches: [{ from: at(100), to: at(110), isRetroactive: true }],
      },
      {
        name: 'planned-work',
        ticket: 'CHG-4711',
        stretches: [{ from: at(130), to: at(160), isRetroactive: true }],
      },
    ])
    expect(sloOf(month, 'edge-availability').exclusions).toEqual([])
  })

  test('lists outages and spent budgets of the period, and changes of what is asked', async () => {
    expect(itemOf(month, 'pay-availability').transitions).toEqual([
      { at: at(100), subject: 'outage', from: 'inactive', to: 'firing' },
      { at: at(120), subject: 'budget', from: 'left', to: 'exhausted' },
      { at: at(160), subject: 'outage', from: 'firing', to: 'inactive' },
    ])
    expect(sloOf(month, 'changing').generationChanges).toEqual([])
    const now = await report(`period=${dateOf(Date.now(), ZONE).slice(0, 7)}`)
    expect(sloOf(now, 'changing').generationChanges).toMatchObject([
      { from: null, to: 1 },
      { from: 1, to: 2, reason: 'as agreed' },
    ])
    expect(sloOf(now, 'changing').generation).toBe(2)
  })

  test('holds what was asked: the definition, and the statement that counts', () => {
    const { definition, questions } = sloOf(month, 'pay-availability')
    expect(definition).toMatchObject({ name: 'pay-availability', missingData: 'freeze' })
    expect(questions[0]?.text).toMatch(/^SELECT [\s\S]+FROM requests_1m[\s\S]+'pay'/)
  })

  test('of a time before anything is known says no-data with coverage 0, and of one that has not begun as well', async () => {
    for (const period of ['2010', '2099-Q4']) {
      const { slos } = await report(`period=${period}`)
      for (const { items } of slos)
        for (const { withExclusions, withoutExclusions, knownFrom } of items)
          for (const figures of [withExclusions, withoutExclusions])
            expect([figures.kind, figures.coverage, figures.sliRatio, figures.budget, knownFrom]).toEqual([
              'no-data',
              0,
              null,
              null,
              null,
            ])
    }
  })

  test('of a period that is not over says so', async () => {
    const year = await report(`period=${dateOf(Date.now(), ZONE).slice(0, 4)}`)
    expect(year.isOver).toBe(false)
    expect(Date.parse(year.countedTo)).toBeLessThanOrEqual(Date.now())
    const { body } = await text(`period=${dateOf(Date.now(), ZONE).slice(0, 4)}&format=html&lang=zh-CN`)
    expect(body).toContain('本周期尚未结束')
  })

  test('is refused with the remedy where period or zone make no sense', async () => {
    const refused = (query: string) => surety.get<{ detail: string }>(`/api/v1/reports/slos?${query}`, 400)
    expect((await refused('period=2026-13')).detail).toMatch(/period: must be a month \(2026-10\)/)
    expect((await refused('period=2026-10&timeZone=Mars/Olympus')).detail).toMatch(
      /write it as Asia\/Shanghai/,
    )
  })

  test('is narrowed to a system or a service', async () => {
    expect((await report(`period=${MONTH}&system=edge`)).slos.map(({ slo }) => slo)).toEqual([
      'edge-availability',
    ])
    expect((await report(`period=${MONTH}&service=gateway`)).slos).toHaveLength(1)
    expect((await report(`period=${MONTH}&service=nobody`)).slos).toEqual([])
  })
})

describe('the forms of a report', () => {
  test.each(['en', 'zh-CN'])('HTML in %s stands alone, runs nothing and escapes every text', async (lang) => {
    const { body, headers } = await text(`period=${MONTH}&format=html&lang=${lang}`)
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'unsafe-inline'/)
    expect(body).toContain(`<html lang="${lang}">`)
    expect(body).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    expect(body).toContain('Moved &lt;b&gt;everything&lt;/b&gt;')
    expect(body).not.toMatch(/<script|<b>|<img|<link|src=|NaN|undefined|\{\w+\}<|null</)
    for (const words of [
      'CHG-4711',
      'Wang Wei',
      'FROM requests_1m',
      lang === 'en' ? 'retroactive' : '事后补登',
    ])
      expect(body).toContain(words)
  })

  test('CSV is RFC 4180 with a byte order mark, and no cell is run as a formula', async () => {
    const { body, headers } = await text(`period=${MONTH}&format=csv&lang=zh-CN`)
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8')
    expect(body.startsWith('\uFEFF周期,')).toBe(true)
    const rows = parseCsv(body.slice(1))
    expect(new Set(rows[0]).size).toBe(rows[0]?.length)
    expect(rows).toHaveLength(1 + month.slos.flatMap(({ items }) => items).length)
    expect(new Set(rows.map((row) => row.length)).size).toBe(1)
    for (const cell of rows.flat()) if (Number.isNaN(Number(cell))) expect(cell).not.toMatch(/^[=+\-@\t\r]/)
    const row = present(rows.find((one) => one.includes('pay-availability')))
    expect(row).toContain(`'${HOSTILE}`)
    expect(row).toContain(String(60_000 + SINGLE))
  })
})

/** RFC 4180, strictly: CRLF between records, quotes doubled. */
function parseCsv(csv: string): string[][] {
  const rows: string[][] = [[]]
  const cellForm = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y
  while (cellForm.lastIndex < csv.length) {
    const found = cellForm.exec(csv)
    if (found === null) throw new Error('no CSV')
    present(rows.at(-1)).push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '')
    if (found[3] === '\r\n') rows.push([])
  }
  rows.pop()
  return rows
}

describe('downtime in a year', () => {
  const ask = (query = `year=${MONTH.slice(0, 4)}&timeZone=${ZONE}`) =>
    surety.get<DowntimeReply>(`/api/v1/systems/downtime?${query}`)

  test('is what any source tells, apart from what was planned, beside the allowance of the tier', async () => {
    const { items, from } = await ask()
    expect(from).toBe(new Date(present(reportPeriod(MONTH.slice(0, 4), ZONE)).fromMs).toISOString())
    const [core, edge, silent] = items
    expect(items.map(({ system }) => system)).toEqual(['core-payment', 'edge', 'silent'])
    // pay was down for sixty minutes; forty are excluded for pay-availability, thirty for pay-slices, which asks the same. ledger was
    // down for one: ten of twenty failed; nineteen of nineteen are too few.
    expect(core).toMatchObject({
      tier: 'general',
      allowedSeconds: 36_000,
      unplannedSeconds: 31 * 60,
      plannedSeconds: 30 * 60,
      knownFrom: at(KNOWN_FROM),
    })
    expect(core?.sources.map(({ slo }) => slo).toSorted()).toEqual([
      'changing',
      'journey',
      'journey',
      'journey-slices',
      'journey-slices',
      'ledger-availability',
      'pay-availability',
      'pay-slices',
    ])
    expect(edge).toMatchObject({
      tier: 'critical',
      allowedSeconds: 100,
      unplannedSeconds: 30,
      plannedSeconds: 0,
    })
    expect(edge?.knownFrom).toBe(new Date(fromMs + 6_000_000).toISOString())
    expect(silent).toMatchObject({ unplannedSeconds: 0, knownFrom: null, coverage: null, sources: [] })
  })

  test('says how much of the year is known', async () => {
    const { items, from, to } = await ask()
    const seconds = (Date.parse(to) - Date.parse(from)) / 1000
    expect(items[0]?.coverage).toBeCloseTo((KNOWN * 60) / seconds, 3)
  })

  test('is the same when it is asked again, and of another year nothing is known', async () => {
    const [first, again] = [await ask(), await ask()]
    expect(again.items.map(({ unplannedSeconds }) => unplannedSeconds)).toEqual(
      first.items.map(({ unplannedSeconds }) => unplannedSeconds),
    )
    const { items } = await ask('year=2010')
    expect(items[0]).toMatchObject({ unplannedSeconds: 0, knownFrom: null, coverage: 0 })
  })
})

test('a caller who may read no system gets none in a report, on the scrape page, or in downtime', async () => {
  const put = await fetch(`${surety.url}/api/v1/registry/users/nobody`, {
    method: 'PUT',
    headers: { ...surety.asLocal, 'content-type': 'application/json', 'if-none-match': '*' },
    body: JSON.stringify({ spec: { role: 'viewer', scope: { systems: [] } } }),
  })
  expect(put.status).toBe(201)
  const author = { actor: 'test', via: 'test', origin: '127.0.0.1', reason: '', request: '' }
  const signed = await surety.query?.people.openSession('nobody', 'test', author)
  const headers = { cookie: `surety_session=${signed?.secret}`, 'sec-fetch-site': 'same-origin' }
  const ask = async (path: string) => (await fetch(surety.url + path, { headers })).text()
  expect(JSON.parse(await ask(`/api/v1/reports/slos?period=${MONTH}`))).toMatchObject({
    slos: [],
    unmeasured: [],
  })
  expect(JSON.parse(await ask('/api/v1/systems/downtime'))).toMatchObject({ items: [] })
  expect(await ask('/metrics/slo')).toBe('')
  const reply = await fetch(`${surety.url}/metrics/slo`)
  expect(reply.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(await reply.text()).toMatch(/^slo:objective:ratio\{sloth_id="pay-pay-availability"/m)
})

test('figures at an instant are those told last before it, nothing older than five minutes', async () => {
  const second = Math.floor(Date.now() / 1000) * 1000 - 3_600_000
  const row = (name: string, atMs: number, remaining: string) =>
    `('${name}', 0, '', fromUnixTimestamp64Milli(${atMs}, 'UTC'), 'healthy', 0.5, NULL, ${remaining}, NULL, 1)`
  await surety
    .store()
    .command(
      `INSERT INTO slo_figures (slo, objective, slo_group, judged_at, condition, sli, sli_gross, remaining, burn, coverage) VALUES ${[
        row('a', second - 299_000, '0.1'),
        row('a', second, '0.2'),
        row('a', second + 1, '0.3'),
        row('b', second - 300_000, '0.4'),
      ].join(', ')}`,
    )
  const which = (slo: string, atMs: number) => ({ slo, objective: 0, group: '', atMs })
  const found = await readFiguresAt(surety.store(), [
    which('b', second),
    which('a', second),
    which('a', second - 1),
    which('a', second + 5),
    which('c', second),
  ])
  expect([...found].map(([place, { remainingRatio }]) => [place, remainingRatio])).toEqual([
    [1, 0.2],
    [2, 0.1],
    [3, 0.3],
  ])
  expect(found.get(1)).toEqual({
    atMs: second,
    condition: 'healthy',
    sliRatio: 0.5,
    sliRatioGross: null,
    remainingRatio: 0.2,
    burnRate: null,
    coverage: 1,
  })
})
