// Prometheus as the measured peer: started on loopback over blocks that are there, asked by its HTTP API, weighed by its
// CPU time, stopped by the lifecycle.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../deploy/kafka/free-port.ts'
import type { Lifecycle } from '../../ingest/runtime/lifecycle.ts'
import { BenchFailure } from './bench-definition.ts'
import { openChild } from './child.ts'
import { cpuSeconds, rssPeakMb } from './process-usage.ts'
import { BLOCK_HOURS, PROMETHEUS } from './prometheus-blocks.ts'

export interface PrometheusServer {
  readonly version: string
  /** The answer to an instant query: values by the label `slo`. */
  ask(query: string, atSecond: number): Promise<ReadonlyMap<string, number>>
  cpuSeconds(): number
  rssPeakMb(): number
}

type Answer = {
  readonly data: {
    readonly result: readonly {
      readonly metric: { readonly slo?: string }
      readonly value: [number, string]
    }[]
  }
}

/** @throws BenchFailure when it does not start */
export async function openPrometheus(folder: string, lifecycle: Lifecycle): Promise<PrometheusServer> {
  const config = join(folder, 'prometheus.yml')
  // It scrapes nothing: whatever CPU it uses is for questions.
  writeFileSync(config, '{}\n')
  const port = await freePort()
  const child = await openChild({
    name: 'prometheus',
    program: join(PROMETHEUS, 'prometheus'),
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${folder}`,
      '--storage.tsdb.retention.time=365d',
      '--storage.tsdb.min-block-duration=2h',
      `--storage.tsdb.max-block-duration=${BLOCK_HOURS}h`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--query.max-concurrency=2',
    ],
    env: { GOMAXPROCS: '2', GOMEMLIMIT: '3GiB' },
    ready: /Server is ready to receive web requests/,
  })
  lifecycle.add('Prometheus', () => child.stop())
  const url = `http://127.0.0.1:${port}/api/v1`
  const get = async (path: string): Promise<unknown> => {
    const reply = await Promise.race([fetch(`${url}${path}`), child.ended])
    if (!reply.ok) throw new BenchFailure(`Prometheus answers ${path}: ${reply.status} ${await reply.text()}`)
    return reply.json()
  }
  const { data } = (await get('/status/buildinfo')) as { data: { version: string } }
  return {
    version: data.version,
    async ask(query, atSecond) {
      const search = new URLSearchParams({ query, time: String(atSecond) }).toString()
      const { data: answer } = (await get(`/query?${search}`)) as Answer
      return new Map(answer.result.map(({ metric, value }) => [metric.slo ?? '', Number(value[1])]))
    },
    cpuSeconds: () => cpuSeconds(child.pid),
    rssPeakMb: () => rssPeakMb(child.pid),
  }
}
