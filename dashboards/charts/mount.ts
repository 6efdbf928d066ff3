// The one place that runs ECharts: loads it when the first chart is wanted, keeps the charts of a group on one
// cursor, and follows their size. What a chart shows is decided by the pure files beside this one.

import type * as EChartsModule from 'echarts'
import type { ECharts, EChartsOption } from 'echarts'
import type { Palette } from './palette.ts'

export interface ChartGroup {
  /** Draws the options in the order of the elements given to openCharts. */
  show(options: readonly EChartsOption[]): void
  close(): void
}

let loading: Promise<typeof EChartsModule> | undefined

/** A megabyte that a page without a selected service does not need. A failed load is tried again next time. */
async function loadECharts(): Promise<typeof EChartsModule> {
  // Not a literal: the browser fetches this from query, and the compiler must not look for it.
  const address: string = '/assets/echarts.js'
  loading ??= import(address) as Promise<typeof EChartsModule>
  try {
    return await loading
  } catch (error) {
    loading = undefined
    throw error
  }
}

export async function openCharts(elements: readonly HTMLElement[], group: string): Promise<ChartGroup> {
  const echarts = await loadECharts()
  const charts: readonly ECharts[] = elements.map((element) => {
    const chart = echarts.init(element)
    chart.group = group
    return chart
  })
  echarts.connect(group)
  const sizes = new ResizeObserver(() => {
    for (const chart of charts) chart.resize()
  })
  for (const element of elements) sizes.observe(element)
  return {
    show(options) {
      // Lines come and go with versions; everything else keeps its identity, so that a tooltip stays open.
      for (const [index, option] of options.entries())
        charts[index]?.setOption(option, { replaceMerge: ['series'] })
    },
    close() {
      sizes.disconnect()
      echarts.disconnect(group)
      for (const chart of charts) chart.dispose()
    },
  }
}

/** The theme's colours as the page has them at this moment. */
export function readPalette(root: HTMLElement): Palette {
  const style = getComputedStyle(root)
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim()
  return {
    text: color('text'),
    muted: color('muted'),
    line: color('line'),
    release: color('release'),
    bad: color('bad'),
    badText: color('bad-text'),
    noData: hatching(color('no-data')),
    series: Array.from({ length: 8 }, (_, index) => color(`series-${index}`)),
  }
}

function hatching(color: string): Palette['noData'] {
  const image = document.createElement('canvas')
  image.width = 8
  image.height = 8
  const pen = image.getContext('2d')
  if (pen === null) return 'transparent'
  pen.globalAlpha = 0.3
  pen.strokeStyle = color
  pen.lineWidth = 1
  // Three strokes: the corners continue the diagonal into the neighbouring tiles.
  for (const shift of [-8, 0, 8]) {
    pen.moveTo(shift - 1, 9)
    pen.lineTo(shift + 9, -1)
  }
  pen.stroke()
  return { image, repeat: 'repeat' }
}
