import { describe, expect, test } from 'vitest'
import { sloItem, sloSide } from '../../test/support/slo-items.ts'
import { buildWords } from '../i18n/words.ts'
import { chartRange } from './burn-figure.ts'
import { signedExtent } from './signed-bar.ts'
import { transitionWord } from './slo-detail.ts'
import { burnFigures, chartWindows, groupWords, notes, windowWords } from './slo-figures.ts'
import { byUse, usedShare } from './systems-strip.ts'

const en = buildWords('en')
const zh = buildWords('zh-CN')
const nowMs = Date.parse('2026-11-20T10:00:00Z')
const daysAgo = (days: number) => new Date(nowMs - days * 86_400_000).toISOString()

test.each([
  ['30d', 'rolling 30 d', '滚动 30 d'],
  ['1 month Asia/Shanghai', 'calendar: 1 month (Asia/Shanghai)', '自然周期：1 个月（Asia/Shanghai）'],
  ['since ever', 'since ever', 'since ever'],
])('the window %s', (text, inEnglish, inChinese) => {
  expect(windowWords(text, en)).toBe(inEnglish)
  expect(windowWords(text, zh)).toBe(inChinese)
})

test('a group is named by its subjects; a missing value is told', () => {
  expect(groupWords({ group: { region: '0531', channel: '' } }, en)).toBe('region=0531, channel=none')
  expect(groupWords({ group: null }, en)).toBe('')
})

test('burn rates stand by length, and those above a threshold of their window are marked', () => {
  const { pairs } = sloItem({ slo: 'a' })
  const side = (rate: number | null) => (rate === null ? null : { ...sloSide(0.5, 0.5), burnRate: rate })
  const burnRates = [
    { windowSeconds: 3600, net: side(14.4), gross: null },
    { windowSeconds: 300, net: side(15), gross: null },
    { windowSeconds: 1800, net: side(null), gross: null },
  ]
  expect(burnFigures({ burnRates, pairs })).toEqual([
    { windowSeconds: 300, rate: 15, above: 14.4 },
    { windowSeconds: 1800, rate: null, above: undefined },
    // Exactly the threshold does not exceed it.
    { windowSeconds: 3600, rate: 14.4, above: undefined },
  ])
})

describe('windows of the chart', () => {
  const burnRates = [60, 300, 1800, 7200, 21_600, 259_200].map((windowSeconds) => ({
    windowSeconds,
    net: null,
    gross: null,
  }))
  test.each([
    {
      name: 'those of the pairs that wake somebody',
      pairs: sloItem({ slo: 'a' }).pairs,
      burnRates,
      want: '5m,30m,1h,6h',
    },
    {
      name: 'without such pairs those that are judged, longer than a slice',
      pairs: [],
      burnRates,
      want: '5m,30m,2h,6h',
    },
    { name: 'the usual ones before anything is judged', pairs: [], burnRates: [], want: '5m,1h,6h' },
  ])('$name', ({ pairs, burnRates: rates, want }) => {
    expect(chartWindows({ pairs, burnRates: rates, stepSeconds: 60 })).toBe(want)
  })
})

describe('notes', () => {
  test('a whole past needs none', () => {
    expect(notes(sloItem({ slo: 'a' }, nowMs), nowMs, en)).toEqual([])
  })

  test('backfill tells how far it is, then what is known stays told', () => {
    const backfill = { reachesTo: daysAgo(3), doneRatio: 0.43 }
    const given = { slo: 'a', knownFrom: daysAgo(3), backfill }
    expect(notes(sloItem(given, nowMs), nowMs, en).join()).toMatch(
      /^Reading the past back to Nov 17[^:]+:[^.]+: 43% done\.$/,
    )
    expect(notes(sloItem({ ...given, backfill: null }, nowMs), nowMs, en).join()).toMatch(
      /^Known from Nov 17/,
    )
    expect(notes(sloItem({ ...given, backfill: null }, nowMs), nowMs, zh).join()).toMatch(
      /11月17日.*起有数据/,
    )
  })

  test('too many groups are counted', () => {
    expect(notes(sloItem({ slo: 'a', hint: 'too-many-groups', groups: 5000 }, nowMs), nowMs, en)).toEqual([
      '5,000 groups are more than allowed; raise groupsMax or group by something coarser.',
    ])
  })
})

test.each([
  { ratio: 1, start: 0.3, width: 0.7 },
  { ratio: 0, start: 0.3, width: 0 },
  { ratio: -0.5, start: 0.15, width: 0.15 },
  { ratio: -7, start: 0, width: 0.3 },
])('a budget of $ratio on the bar', ({ ratio, start, width }) => {
  const extent = signedExtent(ratio)
  expect(extent.start).toBeCloseTo(start)
  expect(extent.width).toBeCloseTo(width)
})

test.each([
  ['condition', 'burning-fast', '快速消耗'],
  ['pair', 'firing', '触发中'],
  ['budget', 'left', '有余量'],
  ['silence', 'never-heard', '从未收到'],
  ['condition', 'melting', 'melting'],
] as const)('%s %s is told as %s', (subject, word, want) => {
  expect(transitionWord(subject, word, zh)).toBe(want)
})

test.each([
  [{ from: '-15m', to: 'now' }, '-6h'],
  [{ from: '-1h', to: 'now' }, '-6h'],
  [{ from: '-24h', to: 'now' }, '-24h'],
  [{ from: '2026-11-20T09:00:00Z', to: '2026-11-20T09:10:00Z' }, '2026-11-20T09:00:00Z'],
])('the chart of %j begins at %s', (range, from) => {
  expect(chartRange(range).from).toBe(from)
})

describe('systems', () => {
  const system = (name: string, unplannedSeconds: number, allowedSeconds: number | null, known = true) => ({
    system: name,
    tier: 'critical' as const,
    allowedSeconds,
    unplannedSeconds,
    plannedSeconds: 0,
    knownFrom: daysAgo(10),
    coverage: 0.03,
    sources: known ? [{ slo: 's', objective: 0 }] : [],
  })

  test.each([
    { name: 'half of it', of: system('a', 150, 300), want: 0.5 },
    { name: 'nothing was agreed', of: system('a', 150, null), want: undefined },
    { name: 'nobody tells of it', of: system('a', 0, 300, false), want: undefined },
    { name: 'nothing allowed, nothing used', of: system('a', 0, 0), want: 0 },
    { name: 'nothing allowed, something used', of: system('a', 1, 0), want: Infinity },
  ])('share of the allowance: $name', ({ of, want }) => {
    expect(usedShare(of)).toBe(want)
  })

  test('most used first, unknown ones last', () => {
    const sorted = [
      system('b', 0, 300),
      system('z', 400, 300),
      system('m', 9, null),
      system('a', 0, 300),
    ].toSorted(byUse)
    expect(sorted.map((one) => one.system)).toEqual(['z', 'a', 'b', 'm'])
  })
})
