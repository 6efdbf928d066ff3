// Requests per second of one service, a line per version. Pure.

import type { EChartsOption } from 'echarts'
import type { ReleaseEvent, ServiceSeriesReply } from '../../query/http/schemas.ts'
import { absent, type Words } from '../i18n/words.ts'
import { lineChart } from './line-chart.ts'
import type { Palette } from './palette.ts'
import { onGrid, settledSeconds, windowOf } from './points.ts'

/** A step without requests is a gap: the store cannot tell silence from telemetry that never came. */
export function requestsChart(
  reply: ServiceSeriesReply,
  releases: readonly ReleaseEvent[],
  words: Words,
  palette: Palette,
): EChartsOption {
  const window = windowOf(reply, reply.stepSeconds)
  const lines = reply.versions.map(({ version, points }) => ({
    name: version,
    points: onGrid(points, window).map(({ atMs, point }) => {
      const seconds = settledSeconds(atMs, window)
      if (point === undefined || point.requests === 0 || seconds === undefined)
        return { atMs, value: undefined, told: absent }
      const value = point.requests / seconds
      return { atMs, value, told: words.text('requestsPerSecond', { value: words.ratePerSecond(value) }) }
    }),
  }))
  return lineChart(
    {
      lines,
      window,
      cursorStepMs: reply.stepSeconds * 1000,
      releases,
      axisLabel: (value) => words.short(value),
      axisMaxAtLeast: 0.1,
    },
    words,
    palette,
  )
}
