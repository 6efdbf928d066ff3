import { describe, expect, test } from 'vitest'
import { SloPlay, type Held } from '../../test/support/slo-play.ts'
import { calendarMonth, workbook30d } from './burn-profiles.ts'
import { OUTAGE_RULE } from './outage-rule.ts'
import { sentenceTexts, type SentenceTexts } from './sentence-texts.ts'
import { sloSentence } from './sentence.ts'
import { budgetText, durationText, percentText } from './sentence-words.ts'
import { sloPolicy, type SloPolicy } from './slo-policy.ts'
import type { CalendarWindow } from './slo-window.ts'

const MINUTE = 60_000
const DAY = 1440 * MINUTE
const good: Held = { good: 1000, total: 1000 }
const timeZone = 'Asia/Shanghai'
const month = (start?: string): CalendarWindow => ({
  kind: 'calendar',
  unit: 'month',
  count: 1,
  timeZone,
  start,
})

function july(chosen: Partial<SloPolicy> = {}, days = 10): SloPlay {
  const play = new SloPlay(
    sloPolicy({ objective: 0.999, window: month(), burn: calendarMonth, ...chosen }),
    Date.parse('2026-07-01T00:00:00+08:00'),
    4320,
  )
  play.history(days * 1440, (index) => ({ good: index % 1000 === 0 ? 900 : 1000, total: 1000 }))
  play.judge()
  return play
}

function both(play: SloPlay): readonly string[] {
  return (['en', 'zh-CN'] as const).map((language) =>
    sloSentence(play.slo, play.status(), language, { nowMs: play.nowMs, timeZone }),
  )
}

describe('a sentence for every state, in both languages', () => {
  test('healthy', () => {
    expect(both(july())).toEqual([
      '96.6% of the July budget is left. At this pace the July budget lasts.',
      '7月的错误预算剩余 96.6%。按当前速度，7月的错误预算够用。',
    ])
  })

  test('burning fast: when the budget is gone', () => {
    const play = july()
    play.steps(12, { good: 780, total: 1000 })
    expect(play.state.condition).toBe('burning-fast')
    expect(both(play)).toEqual([
      'It burns 220 times as fast as it may. At this pace the July budget is gone in 3 h 4 min.',
      '消耗速度是允许值的 220 倍。按当前速度，7月的错误预算将在 3 小时 4 分钟后耗尽。',
    ])
  })

  test('burning slowly', () => {
    const play = july()
    play.steps(400, { good: 985, total: 1000 })
    expect(play.state.condition).toBe('burning-fast')
    play.steps(40, { good: 995, total: 1000 })
    expect(play.state.condition).toBe('burning-slow')
    expect(both(play)[0]).toMatch(
      /^It burns \d+ times as fast as it may\. At this pace the July budget is gone in 2 d/,
    )
  })

  test('outage', () => {
    const play = july({ outage: OUTAGE_RULE })
    play.steps(1, { good: 0, total: 1000 })
    expect(both(play)[0]).toMatch(
      /^Outage since 00:00: most requests fail\. At this pace the July budget is gone in \d+ h/,
    )
    expect(both(play)[1]).toMatch(/^自 00:00 起中断：多数请求失败。按当前速度，7月的错误预算将在 \d+ 小时/)
  })

  test('2.10 exhausted: by how much, signed', () => {
    const play = july({ burn: { ...calendarMonth, pairs: [] } }, 1)
    play.steps(78, { good: 0, total: 1000 })
    expect(play.state.condition).toBe('exhausted')
    expect(both(play)).toEqual(['The July budget is overspent by 75.2%.', '7月的错误预算已超支 75.2%。'])
  })

  test('8.5 silent, and still burning as far as was known', () => {
    const play = july()
    play.steps(5, 'unmeasured')
    expect(both(play)).toEqual([
      'Nothing was heard since 00:03. At 00:02 96.6% of the July budget was left.',
      '自 00:03 起没有收到任何数据。00:02 时7月的错误预算剩余 96.6%。',
    ])
  })

  test('frozen while it burns', () => {
    const play = july()
    play.steps(12, { good: 780, total: 1000 })
    play.steps(10, 'unmeasured')
    expect(both(play)[0]).toContain('It stays as it was, because too little is known now.')
    expect(both(play)[1]).toContain('状态保持不变：当前数据不足。')
  })

  test('too little is known of a rolling window', () => {
    const play = new SloPlay(
      sloPolicy({ objective: 0.999, window: { kind: 'rolling', durationMs: 30 * DAY }, burn: workbook30d }),
      0,
    )
    play.history(3 * 1440, good)
    play.judge()
    expect(both(play)).toEqual([
      'Only 10% of the time is known, 90% is needed to say how the 30-day budget stands.',
      '已知时间只占 10%，达到 90% 才能判断30 天错误预算。',
    ])
  })

  test('never heard of', () => {
    const play = new SloPlay(sloPolicy({ objective: 0.999, window: month(), burn: calendarMonth }), 0)
    play.steps(1, 'unmeasured')
    expect(both(play)[0]).toBe('Nothing was ever heard: check that the selector matches something.')
  })

  test('8.10 a failing query', () => {
    const play = july()
    play.fail(play.nowMs + MINUTE)
    expect(both(play)[0]).toBe(
      'The question could not be asked since 00:01 (failed attempts: 1). At 00:00 96.6% of the July budget was left.',
    )
  })

  test('8.5 no traffic is told in other words than no data', () => {
    const play = july()
    play.steps(5, 'empty')
    expect(both(play)).toEqual([
      'Nobody asked in the last 5 min. 96.6% of the July budget is left.',
      '最近 5 分钟没有请求。7月的错误预算剩余 96.6%。',
    ])
  })

  test('2.8 too few events', () => {
    const play = new SloPlay(
      sloPolicy({ objective: 0.999, window: month(), burn: calendarMonth }),
      Date.parse('2026-07-01T00:00:00+08:00'),
      4320,
    )
    play.history(2 * 1440, (index) => (index % 6 === 5 ? { good: 1, total: 1 } : 'empty'))
    play.steps(1, { good: 0, total: 1 })
    expect(both(play)[0]).toMatch(/^It burns, but on too few events to wake anybody \(1 bad of 11\)\./)
  })

  test('agreed time', () => {
    const play = july()
    play.sums.setExclusions([{ from: play.sums.head, to: play.sums.head + 10 }])
    play.steps(3, { good: 0, total: 1000 })
    expect(both(play)).toEqual([
      'This time is excluded by agreement. 96.6% of the July budget is left.',
      '当前时间按约定剔除。7月的错误预算剩余 96.6%。',
    ])
  })
})

test('both languages have the same gaps in every text', () => {
  const gaps = (texts: SentenceTexts) =>
    Object.entries(texts).map(([key, text]) => [
      key,
      new Set([...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)),
    ])
  expect(gaps(sentenceTexts['zh-CN'])).toEqual(gaps(sentenceTexts.en))
})

test.each([
  [(3 * 60 + 10) * MINUTE + 59_999, '3 h 10 min', '3 小时 10 分钟'],
  [45_000, '45 s', '45 秒'],
  [125_000, '2 min', '2 分钟'],
  [2 * DAY + 4 * 60 * MINUTE + 1, '2 d 4 h', '2 天 4 小时'],
  [DAY, '1 d', '1 天'],
  [0, '0 s', '0 秒'],
])('%s ms are %s', (ms, en, zh) => {
  expect([durationText('en', ms), durationText('zh-CN', ms)]).toEqual([en, zh])
})

test('a share is never rounded away', () => {
  expect([0.756, 0.0004, 0.9999, 1, 0, 12.5].map((ratio) => percentText('en', ratio))).toEqual([
    '75.6%',
    '<0.1%',
    '>99.9%',
    '100%',
    '0%',
    '1,250%',
  ])
})

test('budgets are called by their window', () => {
  const at = Date.parse('2026-07-01T00:00:00+08:00')
  const names = (window: SloPolicy['window']) => [
    budgetText('en', window, at),
    budgetText('zh-CN', window, at),
  ]
  const unit = (name: CalendarWindow['unit']): CalendarWindow => ({ ...month(), unit: name })
  expect(names(unit('day'))).toEqual(["today's budget", '今日错误预算'])
  expect(names(unit('week'))).toEqual(["this week's budget", '本周错误预算'])
  expect(names(unit('month'))).toEqual(['the July budget', '7月的错误预算'])
  expect(names(unit('quarter'))).toEqual(['the Q3 budget', '第 3 季度的错误预算'])
  expect(names(unit('year'))).toEqual(['the 2026 budget', '2026年的错误预算'])
  expect(names(month('2026-07-01 12:00:00'))).toEqual([
    'the budget from Jun 1, 2026',
    '自 2026年6月1日 起的错误预算',
  ])
  expect(names({ kind: 'rolling', durationMs: 30 * DAY })).toEqual(['the 30-day budget', '30 天错误预算'])
  expect(names({ kind: 'rolling', durationMs: 90 * MINUTE })).toEqual([
    'the 90-minute budget',
    '90 分钟错误预算',
  ])
})

test.each<{ window: Partial<CalendarWindow>; at: string; en: string; zh: string }>([
  { window: { start: '2026-01-01 00:00:00' }, at: '2026-07-01', en: 'the July budget', zh: '7月的错误预算' },
  { window: { start: '2026-01-01' }, at: '2026-06-30', en: 'the June budget', zh: '6月的错误预算' },
  { window: {}, at: '2025-11-30', en: 'the November 2025 budget', zh: '2025年11月的错误预算' },
  {
    window: { unit: 'quarter', start: '2020-04-01 00:00:00' },
    at: '2026-09-30',
    en: 'the Q3 budget',
    zh: '第 3 季度的错误预算',
  },
  {
    window: { unit: 'quarter' },
    at: '2025-12-31',
    en: 'the Q4 2025 budget',
    zh: '2025年第 4 季度的错误预算',
  },
  {
    window: { count: 3, start: '2026-01-01' },
    at: '2026-05-05',
    en: 'the Q2 budget',
    zh: '第 2 季度的错误预算',
  },
  {
    window: { count: 12, start: '2020-01-01' },
    at: '2025-05-05',
    en: 'the 2025 budget',
    zh: '2025年的错误预算',
  },
  {
    window: { unit: 'week', start: '2026-01-05' },
    at: '2026-07-16',
    en: "this week's budget",
    zh: '本周错误预算',
  },
  {
    window: { unit: 'day', count: 7, start: '2026-01-05' },
    at: '2026-07-12',
    en: 'the budget of the week from Jul 6',
    zh: '7月6日起一周的错误预算',
  },
  {
    window: { unit: 'day', start: '2026-01-05 00:00:00' },
    at: '2026-07-16',
    en: "today's budget",
    zh: '今日错误预算',
  },
  { window: { unit: 'day' }, at: '2026-07-15', en: 'the Jul 15 budget', zh: '7月15日的错误预算' },
  { window: { unit: 'day' }, at: '2025-07-15', en: 'the Jul 15, 2025 budget', zh: '2025年7月15日的错误预算' },
  {
    window: { start: '2026-01-15' },
    at: '2026-07-16',
    en: 'the budget from Jul 15, 2026',
    zh: '自 2026年7月15日 起的错误预算',
  },
  {
    window: { count: 2 },
    at: '2026-07-16',
    en: 'the budget from Jul 1, 2026',
    zh: '自 2026年7月1日 起的错误预算',
  },
  {
    window: { unit: 'quarter', start: '2026-02-01' },
    at: '2026-07-16',
    en: 'the budget from May 1, 2026',
    zh: '自 2026年5月1日 起的错误预算',
  },
  {
    window: { unit: 'week', start: '2026-01-04' },
    at: '2026-07-16',
    en: 'the budget from Jul 12, 2026',
    zh: '自 2026年7月12日 起的错误预算',
  },
  // Midnight came twice: the day begins with the first.
  {
    window: { unit: 'day', timeZone: 'Asia/Amman', start: '2020-01-01' },
    at: '2021-10-29',
    en: 'the Oct 29, 2021 budget',
    zh: '2021年10月29日的错误预算',
  },
])('$at is in $en: whole units of the calendar are called by their names', ({ window, at, en, zh }) => {
  const nowMs = Date.parse('2026-07-16T15:00:00+08:00')
  const chosen = { ...month(), ...window }
  const atMs = Date.parse(`${at}T12:00:00+08:00`)
  expect([budgetText('en', chosen, atMs, nowMs), budgetText('zh-CN', chosen, atMs, nowMs)]).toEqual([en, zh])
})
