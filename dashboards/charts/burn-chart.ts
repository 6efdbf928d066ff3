// Burn rates of one SLO over time, a line per window, with the thresholds of its burn pairs. Pure.

import type { EChartsOption } from 'echarts'
import type { SloBurnReply } from '../../query/http/slo-schemas.ts'
import type { Words } from '../i18n/words.ts'
import { lineChart } from './line-chart.ts'
import type { Palette } from './palette.ts'
import { windowOf } from './points.ts'

/** A point tells the window that ends there; where too little is known the line is broken. */
export function burnChart(reply: SloBurnReply, words: Words, palette: Palette): EChartsOption {
  const window = windowOf(reply, reply.stepSeconds)
  const lines = reply.windows.map(({ windowSeconds, points }) => ({
    name: words.seconds(windowSeconds),
    points: points.map(({ at, burnRate, burnRateGross, coverage }) => {
      const gross =
        burnRateGross === burnRate ? '' : words.text('grossShort', { value: words.times(burnRateGross) })
      const known = `${words.text('coverage')} ${words.ratio(coverage)}`
      const more = [gross, known].filter((text) => text !== '').join(words.text('listSeparator'))
      return {
        atMs: Date.parse(at),
        value: burnRate ?? undefined,
        told: `${words.times(burnRate)} (${more})`,
      }
    }),
  }))
  const levels = reply.thresholds.map(({ severity, factor }) => ({
    value: factor,
    label: words.text(severity === 'page' ? 'thresholdPage' : 'thresholdTicket', {
      rate: words.times(factor),
    }),
    isLoud: severity === 'page',
  }))
  return lineChart(
    {
      lines,
      keepsOrder: true,
      levels: [...new Map(levels.map((level) => [level.label, level])).values()],
      window,
      cursorStepMs: reply.stepSeconds * 1000,
      releases: [],
      axisLabel: (value) => words.times(value),
      // The loudest threshold stays in sight: how far a line is from it is the question.
      axisMaxAtLeast: Math.max(2, ...levels.map(({ value }) => value)) * 1.1,
    },
    words,
    palette,
  )
}
