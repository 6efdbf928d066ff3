// p99 latency of one service, a line per version. Latency has a coarser step of its own. Pure.

import type { EChartsOption } from 'echarts'
import type { ReleaseEvent, ServiceSeriesReply } from '../../query/http/schemas.ts'
import { absent, type Words } from '../i18n/words.ts'
import { lineChart } from './line-chart.ts'
import type { Palette } from './palette.ts'
import { onGrid, windowOf } from './points.ts'

export function latencyChart(
  reply: ServiceSeriesReply,
  releases: readonly ReleaseEvent[],
  words: Words,
  palette: Palette,
): EChartsOption {
  const window = windowOf(reply, reply.latencyStepSeconds)
  const lines = reply.versions.map(({ version, latency }) => ({
    name: version,
    points: onGrid(latency, window).map(({ atMs, point }) => ({
      atMs,
      value: point?.p99Ms ?? undefined,
      told:
        point === undefined || point.p99Ms === null
          ? absent
          : `p99 ${words.milliseconds(point.p99Ms)} · p95 ${words.milliseconds(point.p95Ms)} · p50 ${words.milliseconds(point.p50Ms)}`,
    })),
  }))
  return lineChart(
    {
      lines,
      window,
      cursorStepMs: reply.stepSeconds * 1000,
      releases,
      axisLabel: (value) => words.milliseconds(value),
      axisMaxAtLeast: 1,
    },
    words,
    palette,
  )
}
