// The frame the three charts share: time axis, one line per version, release markers, gaps, tooltip. Pure: figures
// in, ECharts option out.

import type { EChartsOption, SeriesOption } from 'echarts'
import type { ReleaseEvent } from '../../query/http/schemas.ts'
import { absent, type Words } from '../i18n/words.ts'
import { assignHues, byVersion, type Palette } from './palette.ts'
import { gaps, type Line, type Window } from './points.ts'
import { tooltipHtml } from './tooltip.ts'

export type LineChart = {
  readonly lines: readonly Line[]
  /** Whether lines stand as they are given; else by version. */
  readonly keepsOrder?: boolean
  /** Horizontal lines to compare with; a loud one is drawn in the colour of what is bad. */
  readonly levels?: readonly { readonly value: number; readonly label: string; readonly isLoud: boolean }[]
  readonly window: Window
  /** Width of a cursor position; the same in charts that share a cursor, whatever the width of their points. */
  readonly cursorStepMs: number
  readonly releases: readonly ReleaseEvent[]
  /** Writes a figure on the value axis. */
  readonly axisLabel: (value: number) => string
  /** Where the value axis ends at least, so that a quiet chart does not magnify noise. */
  readonly axisMaxAtLeast: number
  /** Where figures cannot pass: 1 for a ratio. */
  readonly axisMaxAtMost?: number
}

// Besides its hue a line has a dash pattern and, in the legend, its name: colour alone tells nothing.
const dashes = ['solid', 'dashed', 'dotted', [8, 3, 2, 3]] as const

/** Most lines worth telling apart; the API's order is kept for the rest. */
const linesMax = 12

/** Room for the words of a level; four of them fit side by side on a phone. */
const levelWidth = 66

// Canvas text does not inherit the page's font.
const fontFamily = "system-ui, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"

const flag = 'path://M0 0 L1.5 0 L1.5 1 L10 4 L1.5 7 L1.5 14 L0 14 Z'

export function lineChart(chart: LineChart, words: Words, palette: Palette): EChartsOption {
  const lines =
    chart.keepsOrder === true
      ? chart.lines.slice(0, linesMax)
      : chart.lines.toSorted((a, b) => byVersion(a.name, b.name)).slice(-linesMax)
  const hues = assignHues(chart.lines.map((line) => line.name))
  const { fromMs, toMs } = chart.window
  const releases = chart.releases.filter((event) => {
    const atMs = Date.parse(event.at)
    return atMs >= fromMs && atMs <= toMs
  })
  // A flag is reached with the cursor within a hundredth of the range, and never less than half a step.
  const reachMs = Math.max(chart.window.stepMs / 2, (toMs - fromMs) / 100)
  const scale = roundScale(lines, chart.axisMaxAtLeast, chart.axisMaxAtMost ?? Infinity)
  const label = (name: string) => (name === '' ? words.text('versionUnknown') : name)
  const empty = lines.every((line) => line.points.every((point) => point.value === undefined))

  const series: SeriesOption[] = lines.map((line, index) => {
    const color = palette.series[hues.get(line.name) ?? 0] ?? palette.text
    return {
      id: `version:${line.name}`,
      name: label(line.name),
      type: 'line',
      data: line.points.map((point, place) => ({
        value: [point.atMs, point.value ?? '-'],
        // Between two gaps there is no line to see; only such a point gets a dot.
        symbol: isAlone(line, place) ? 'circle' : 'none',
      })),
      symbol: 'none',
      symbolSize: 4,
      showSymbol: true,
      connectNulls: false,
      lineStyle: { width: 1.6, color, type: dashOf(index) },
      itemStyle: { color },
      emphasis: { disabled: true },
    }
  })
  // Connected charts pass the cursor on as «point n of series m», so every one of them begins with the same
  // invisible series, or a chart with coarser points would lose the cursor.
  series.unshift({
    id: 'cursor',
    type: 'line',
    data: cursorGrid(chart).map((atMs) => [atMs, 0]),
    symbol: 'none',
    lineStyle: { opacity: 0 },
    silent: true,
    markLine: {
      silent: true,
      animation: false,
      symbol: ['none', flag],
      symbolSize: [9, 13],
      symbolRotate: 0,
      symbolOffset: [4, 4],
      label: { show: false },
      lineStyle: { color: palette.release, width: 1, type: 'solid' },
      data: releases.map((event) => ({ xAxis: Date.parse(event.at) })),
    },
    markArea: {
      silent: true,
      animation: false,
      itemStyle: { color: palette.noData },
      label: { color: palette.muted, fontSize: 11, position: 'inside' },
      data: gaps(lines, chart.window).map(([startMs, endMs]) => [
        {
          xAxis: startMs,
          // A narrow gap has no room for words; its hatching is explained by the wide ones and the tooltip.
          name: endMs - startMs > (toMs - fromMs) / 8 ? words.text('noData') : '',
        },
        { xAxis: endMs },
      ]),
    },
  })

  if (chart.levels !== undefined) series.push(levelLines(chart.levels, palette))

  return {
    animation: false,
    textStyle: { color: palette.text, fontFamily },
    grid: { left: 52, right: 14, top: 34, bottom: 22 },
    legend: {
      type: 'scroll',
      top: 2,
      left: 0,
      itemWidth: 26,
      itemHeight: 8,
      icon: 'inherit',
      textStyle: { color: palette.text, fontSize: 12, width: 150, overflow: 'truncate' },
      pageTextStyle: { color: palette.muted },
      pageIconColor: palette.muted,
      pageIconInactiveColor: palette.line,
      data: empty ? [] : lines.map((line) => label(line.name)),
    },
    xAxis: {
      type: 'time',
      min: fromMs,
      max: toMs,
      axisLine: { lineStyle: { color: palette.line } },
      axisLabel: {
        color: palette.muted,
        fontSize: 11,
        hideOverlap: true,
        formatter: (atMs: number) => (isMidnight(atMs) ? words.day(atMs) : words.clock(atMs)),
      },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      min: 0,
      max: scale.max,
      interval: scale.interval,
      axisLabel: { color: palette.muted, fontSize: 11, formatter: (value: number) => chart.axisLabel(value) },
      splitLine: { lineStyle: { color: palette.line, width: 1 } },
    },
    tooltip: {
      trigger: 'axis',
      confine: true,
      // Without confinement ECharts would add an arrow with inline style, which the page's policy refuses.
      backgroundColor: 'transparent',
      borderWidth: 0,
      padding: 0,
      extraCssText: 'box-shadow:none;z-index:4',
      transitionDuration: 0,
      axisPointer: { type: 'line', lineStyle: { color: palette.muted, width: 1 } },
      formatter: (items: unknown) => {
        const atMs = cursorInstant(items)
        if (atMs === undefined) return ''
        const rows = lines.map((line) => ({
          name: label(line.name),
          hue: hues.get(line.name) ?? 0,
          value:
            line.points.find((point) => point.atMs <= atMs && atMs < point.atMs + chart.window.stepMs)
              ?.told ?? absent,
        }))
        const near = releases.filter((event) => Math.abs(Date.parse(event.at) - atMs) <= reachMs)
        return tooltipHtml(atMs, rows, near, words)
      },
    },
    series,
  }
}

/** A series of its own, because the flags of releases are the ends of the other one's lines. */
function levelLines(levels: NonNullable<LineChart['levels']>, palette: Palette): SeriesOption {
  return {
    id: 'levels',
    type: 'line',
    data: [],
    silent: true,
    markLine: {
      silent: true,
      animation: false,
      symbol: 'none',
      data: levels.map(({ value, label, isLoud }, place) => ({
        yAxis: value,
        lineStyle: { color: isLoud ? palette.bad : palette.muted, type: 'dashed', width: 1 },
        label: {
          show: true,
          // Side by side from both ends, because levels may lie closer together than their words are high.
          position: place < 2 ? 'insideStartTop' : 'insideEndTop',
          distance: 2,
          padding: place < 2 ? [0, 0, 0, place * levelWidth] : [0, (place - 2) * levelWidth, 0, 0],
          color: isLoud ? palette.badText : palette.muted,
          fontSize: 11,
          formatter: label,
        },
      })),
    },
  }
}

function cursorGrid({ window: { fromMs, toMs }, cursorStepMs }: LineChart): readonly number[] {
  const grid: number[] = []
  for (let atMs = Math.ceil(fromMs / cursorStepMs) * cursorStepMs; atMs < toMs; atMs += cursorStepMs)
    grid.push(atMs)
  return grid
}

function dashOf(index: number): 'solid' | 'dashed' | 'dotted' | number[] {
  const dash = dashes[index % dashes.length] ?? 'solid'
  return typeof dash === 'string' ? dash : [...dash]
}

function isAlone(line: Line, place: number): boolean {
  return (
    line.points[place]?.value !== undefined &&
    line.points[place - 1]?.value === undefined &&
    line.points[place + 1]?.value === undefined
  )
}

function isMidnight(atMs: number): boolean {
  const at = new Date(atMs)
  return at.getHours() === 0 && at.getMinutes() === 0
}

/** A value axis from 0 to a round figure in three to four round steps, a little above the highest value. */
function roundScale(
  lines: readonly Line[],
  atLeast: number,
  atMost: number,
): { max: number; interval: number } {
  const highest = Math.max(0, ...lines.flatMap((line) => line.points.map((point) => point.value ?? 0)))
  // Headroom keeps the highest figure clear of the flags.
  const wanted = Math.max(highest * 1.1, atLeast)
  const size = 10 ** Math.floor(Math.log10(wanted / 4))
  const interval = size * ([1, 2, 2.5, 5].find((step) => step * size * 4 >= wanted) ?? 10)
  return { max: Math.min(Math.ceil(wanted / interval) * interval, atMost), interval }
}

/** ECharts hands the formatter of an axis tooltip one entry per line at the cursor. */
function cursorInstant(items: unknown): number | undefined {
  const first: unknown = Array.isArray(items) ? items[0] : items
  if (typeof first !== 'object' || first === null || !('axisValue' in first)) return undefined
  return typeof first.axisValue === 'number' ? first.axisValue : undefined
}
