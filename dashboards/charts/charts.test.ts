import type { EChartsOption } from 'echarts'
import { describe, expect, test } from 'vitest'
import type { ReleaseEvent, ServiceSeriesReply } from '../../query/http/schemas.ts'
import { buildWords } from '../i18n/words.ts'
import { burnChart } from './burn-chart.ts'
import { errorRatioChart } from './error-ratio-chart.ts'
import { latencyChart } from './latency-chart.ts'
import type { Palette } from './palette.ts'
import { requestsChart } from './requests-chart.ts'

const palette: Palette = {
  text: '#000',
  muted: '#555',
  line: '#ddd',
  release: '#7c5cd6',
  bad: '#d5482e',
  badText: '#b83a22',
  noData: '#eee',
  series: ['s0', 's1', 's2', 's3', 's4', 's5', 's6', 's7'],
}
const words = buildWords('en')
const zeroMs = Date.parse('2026-11-20T10:00:00Z')
const at = (seconds: number) => new Date(zeroMs + seconds * 1000).toISOString()
const point = (seconds: number, requests: number, bad: number) => ({
  at: at(seconds),
  requests,
  bad,
  errorRatio: requests === 0 ? null : bad / requests,
})

const reply: ServiceSeriesReply = {
  service: 'transfer',
  from: at(0),
  to: at(120),
  stepSeconds: 10,
  latencyStepSeconds: 60,
  versions: [
    {
      version: '2.14.0',
      // Nothing from 30 to 90; the point at 110 has just ended and its last spans are under way.
      points: [
        point(0, 100, 0),
        point(10, 50, 5),
        point(20, 0, 0),
        point(90, 20, 20),
        point(100, 10, 1),
        point(110, 4, 0),
      ],
      latency: [
        { at: at(0), p50Ms: 1, p95Ms: 2, p99Ms: 3 },
        { at: at(60), p50Ms: null, p95Ms: null, p99Ms: null },
      ],
    },
  ],
}

function release(seconds: number, description = ''): ReleaseEvent {
  return {
    source: 's',
    id: String(seconds),
    type: 'dev.cdevents.service.deployed.0.2.0',
    at: at(seconds),
    receivedAt: at(seconds),
    service: 'transfer',
    version: '2.14.0',
    environment: 'prod',
    action: 'deployed',
    description,
  }
}

type Series = {
  id: string
  data: { value: [number, number | string]; symbol: string }[]
  markLine?: { data: { xAxis: number }[] }
  markArea?: { data: [{ xAxis: number; name: string }, { xAxis: number }][] }
}

function seriesOf(option: EChartsOption): { cursor: Series; lines: Series[] } {
  const [cursor, ...lines] = option.series as unknown as Series[]
  if (cursor === undefined) throw new Error('a chart without series')
  return { cursor, lines }
}

/** Seconds from zero to value, as drawn. */
function drawn(option: EChartsOption): Record<number, number | string> {
  const line = seriesOf(option).lines[0]
  return Object.fromEntries((line?.data ?? []).map(({ value }) => [(value[0] - zeroMs) / 1000, value[1]]))
}

function tooltip(option: EChartsOption, seconds: number): string {
  const { formatter } = option.tooltip as unknown as { formatter: (items: unknown) => string }
  return formatter([{ axisValue: zeroMs + seconds * 1000 }])
}

describe('requests', () => {
  test('counts become rates; silence and the newest seconds are gaps, never 0', () => {
    expect(drawn(requestsChart(reply, [], words, palette))).toEqual({
      0: 10,
      10: 5,
      20: '-',
      30: '-',
      40: '-',
      50: '-',
      60: '-',
      70: '-',
      80: '-',
      90: 2,
      100: 1,
      110: '-',
    })
  })

  test('a gap of several points is marked', () => {
    const { cursor } = seriesOf(requestsChart(reply, [], words, palette))
    expect(cursor.markArea?.data).toEqual([
      [{ xAxis: zeroMs + 20_000, name: 'no data' }, { xAxis: zeroMs + 90_000 }],
    ])
  })

  test('a point between two gaps is drawn as a dot', () => {
    const lonely: ServiceSeriesReply = {
      ...reply,
      versions: [{ version: '1', points: [point(50, 10, 0)], latency: [] }],
    }
    const line = seriesOf(requestsChart(lonely, [], words, palette)).lines[0]
    expect(line?.data.filter(({ symbol }) => symbol === 'circle').map(({ value }) => value)).toEqual([
      [zeroMs + 50_000, 1],
    ])
  })
})

describe('error ratio', () => {
  test('without requests there is no ratio', () => {
    const values = drawn(errorRatioChart(reply, [], words, palette))
    expect(values).toMatchObject({ 0: 0, 10: 0.1, 20: '-', 30: '-', 90: 1, 110: 0 })
  })

  test('the tooltip tells the counts', () => {
    const option = errorRatioChart(reply, [], words, palette)
    expect(tooltip(option, 10)).toContain('10% (5 of 50)')
    expect(tooltip(option, 20)).toContain('–')
  })
})

describe('latency', () => {
  test('has its own step; a step without requests has no latency', () => {
    expect(drawn(latencyChart(reply, [], words, palette))).toEqual({ 0: 3, 60: '-' })
  })

  test('the cursor has as many positions as in the charts with finer points', () => {
    const cursorOf = (option: EChartsOption) => seriesOf(option).cursor.data
    expect(cursorOf(latencyChart(reply, [], words, palette))).toEqual(
      cursorOf(requestsChart(reply, [], words, palette)),
    )
  })

  test('a cursor inside a coarse point tells that point', () => {
    expect(tooltip(latencyChart(reply, [], words, palette), 50)).toContain('p99 3 ms')
  })
})

describe('releases', () => {
  test('stand on the time axis, those outside the range do not', () => {
    const option = requestsChart(reply, [release(-5), release(15), release(500)], words, palette)
    expect(seriesOf(option).cursor.markLine?.data).toEqual([{ xAxis: zeroMs + 15_000 }])
  })

  test('hovering one tells type, version and description, with markup as text', () => {
    const html = tooltip(
      requestsChart(reply, [release(15, '<img src=x onerror=alert(1)>')], words, palette),
      10,
    )
    expect(html).toContain('deployed 2.14.0 (dev.cdevents.service.deployed.0.2.0): &#60;img src=x')
    expect(html).not.toContain('<img')
  })

  test('away from it nothing is told', () => {
    expect(tooltip(requestsChart(reply, [release(15)], words, palette), 90)).not.toContain('deployed')
  })
})

test('a version name with markup is text in the tooltip', () => {
  const hostile = '"><script>x</script>'
  const named: ServiceSeriesReply = {
    ...reply,
    versions: reply.versions.map((version) => ({ ...version, version: hostile })),
  }
  const html = tooltip(requestsChart(named, [], words, palette), 10)
  expect(html).toContain('&#34;&#62;&#60;script&#62;')
  expect(html).not.toContain('<script')
})

test('no versions make an empty, hatched chart', () => {
  const option = requestsChart({ ...reply, versions: [] }, [], words, palette)
  expect(seriesOf(option).cursor.markArea?.data).toEqual([
    [{ xAxis: zeroMs, name: 'no data' }, { xAxis: zeroMs + 120_000 }],
  ])
})

describe('burn rates', () => {
  const burnAt = (seconds: number, burnRate: number | null, burnRateGross = burnRate) => ({
    at: at(seconds),
    burnRate,
    burnRateGross,
    coverage: 0.5,
  })
  const option = burnChart(
    {
      from: at(0),
      to: at(120),
      stepSeconds: 30,
      target: 0.99,
      windows: [
        { windowSeconds: 300, points: [burnAt(30, 20, 21), burnAt(60, null), burnAt(90, 1)] },
        { windowSeconds: 3600, points: [burnAt(30, 2), burnAt(60, 2), burnAt(90, 2)] },
      ],
      thresholds: [
        { pair: 'page-1h', severity: 'page', factor: 14.4 },
        { pair: 'ticket-1d', severity: 'ticket', factor: 3 },
        { pair: 'ticket-3d', severity: 'ticket', factor: 3 },
      ],
    },
    words,
    palette,
  )

  test('windows stand by length; what is not known is a gap', () => {
    expect((option.legend as unknown as { data: string[] }).data).toEqual(['5 min', '1 h'])
    expect(drawn(option)).toEqual({ 30: 20, 60: '-', 90: 1 })
  })

  test('each threshold is one line with its words', () => {
    const lines = seriesOf(option).lines.at(-1)?.markLine?.data as unknown as {
      yAxis: number
      label: { formatter: string }
    }[]
    expect(lines.map(({ yAxis, label }) => [yAxis, label.formatter])).toEqual([
      [14.4, 'page 14.4×'],
      [3, 'ticket 3×'],
    ])
  })

  test('the tooltip tells coverage, and the figure without exclusions when it differs', () => {
    expect(tooltip(option, 35)).toContain('20× (gross 21×, Coverage 50%)')
    expect(tooltip(option, 35)).toContain('2× (Coverage 50%)')
  })
})
