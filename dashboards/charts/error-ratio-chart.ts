// Share of failed requests of one service, a line per version. Pure.

import type { EChartsOption } from 'echarts'
import type { ReleaseEvent, ServiceSeriesReply } from '../../query/http/schemas.ts'
import { absent, type Words } from '../i18n/words.ts'
import { lineChart } from './line-chart.ts'
import type { Palette } from './palette.ts'
import { onGrid, windowOf } from './points.ts'

/** The tooltip tells the counts behind each ratio: 50 % of two requests is not 50 % of two thousand. */
export function errorRatioChart(
  reply: ServiceSeriesReply,
  releases: readonly ReleaseEvent[],
  words: Words,
  palette: Palette,
): EChartsOption {
  const window = windowOf(reply, reply.stepSeconds)
  const lines = reply.versions.map(({ version, points }) => ({
    name: version,
    points: onGrid(points, window).map(({ atMs, point }) => {
      if (point === undefined || point.errorRatio === null) return { atMs, value: undefined, told: absent }
      const base = words.text('badOf', { bad: words.count(point.bad), requests: words.count(point.requests) })
      return { atMs, value: point.errorRatio, told: `${words.ratio(point.errorRatio)} (${base})` }
    }),
  }))
  return lineChart(
    {
      lines,
      window,
      cursorStepMs: reply.stepSeconds * 1000,
      releases,
      axisLabel: (value) => words.ratio(value),
      axisMaxAtLeast: 0.01,
      axisMaxAtMost: 1,
    },
    words,
    palette,
  )
}
