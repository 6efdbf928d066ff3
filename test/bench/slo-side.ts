// SLOs put into a running Surety, and what it says of them.

import { readLocalToken } from '../../query/people/local-token.ts'
import type { SloItem, SlosReply } from '../../query/http/slo-schemas.ts'
import { BenchFailure } from './bench-definition.ts'

export type BenchSlo = {
  readonly name: string
  readonly service: string
  readonly where: Readonly<Record<string, string>>
  readonly step: '10s' | '60s'
  readonly window: string
}

// A file holds at most 4 MB.
const OBJECTS_PER_FILE = 1000

const document = ({ name, service, where, step, window }: BenchSlo) => ({
  apiVersion: 'openslo/v1',
  kind: 'SLO',
  metadata: { name, annotations: { 'surety/step': step } },
  spec: {
    service,
    indicator: {
      metadata: { name },
      spec: {
        ratioMetric: {
          counter: true,
          good: { metricSource: { type: 'Surety', spec: { outcomes: ['ok', 'business_reject'] } } },
          total: { metricSource: { type: 'Surety', spec: { signal: 'requests', where } } },
        },
      },
    },
    timeWindow: [{ duration: window, isRolling: true }],
    budgetingMethod: 'Occurrences',
    objectives: [{ target: 0.999 }],
  },
})

/** Applied as one bundle, with the services that they name. @throws BenchFailure */
export async function applySlos(url: string, dataDir: string, slos: readonly BenchSlo[]): Promise<void> {
  const services = [...new Set(slos.map(({ service }) => service))].map((name) => ({
    apiVersion: 'openslo/v1',
    kind: 'Service',
    metadata: { name },
    spec: {},
  }))
  const objects = [...services, ...slos.map(document)]
  const files = Array.from({ length: Math.ceil(objects.length / OBJECTS_PER_FILE) }, (_, index) => ({
    file: `bench-${index}.json`,
    text: JSON.stringify(objects.slice(index * OBJECTS_PER_FILE, (index + 1) * OBJECTS_PER_FILE)),
  }))
  const reply = await fetch(`${url}/api/v1/registry/apply?bundle=bench&reason=bench`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${readLocalToken(dataDir) ?? ''}`,
    },
    body: JSON.stringify({ files }),
    signal: AbortSignal.timeout(300_000),
  })
  if (!reply.ok)
    throw new BenchFailure(`The SLOs were not taken: ${reply.status} ${(await reply.text()).slice(0, 500)}`)
}

/** One figure of its own metrics, summed over labels; 0 when it is not there. */
export async function metricOf(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

export async function sloItems(url: string): Promise<SloItem[]> {
  const items: SloItem[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const reply = await fetch(`${url}/api/v1/slos?limit=1000${query}`)
    if (!reply.ok) throw new BenchFailure(`${url}/api/v1/slos answers ${reply.status}`)
    const page = (await reply.json()) as SlosReply
    items.push(...page.items)
    cursor = page.next
  }
  return items
}
