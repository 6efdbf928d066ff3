// Spans that no one here wrote: three minutes of Train-Ticket go in as OTLP, and every minute's requests and errors
// come out as they are counted from the files.

import { expect, test } from 'vitest'
import type { ServiceSeriesReply, ServicesReply, TraceReply } from '../../query/http/schemas.ts'
import { nezhaRequests, readNezha } from '../support/nezha.ts'
import { startSurety } from '../support/surety.ts'

test('per-minute requests and errors of every service equal those counted from the files', async () => {
  const spans = readNezha()
  expect(spans.filter(({ isError }) => isError)).toHaveLength(37)
  // The spans are of January 2023: kept long enough, they stay where they are.
  const days = String(Math.ceil((Date.now() - Date.UTC(2023, 0, 1)) / 86_400_000) + 30)
  const surety = await startSurety({
    SURETY_RETENTION_SPANS_DAYS: days,
    SURETY_RETENTION_10S_DAYS: days,
    SURETY_RETENTION_1M_DAYS: days,
  })
  try {
    const replies = await Promise.all(nezhaRequests(spans).map((body) => surety.send(body)))
    for (const reply of replies) expect(reply).toEqual({ status: 200, retryAfter: null, text: '' })

    const wanted = new Map<string, { requests: number; bad: number }>()
    for (const { service, startNs, isError } of spans) {
      const minute = new Date(Number(startNs / 60_000_000_000n) * 60_000).toISOString()
      const key = `${service} ${minute}`
      const count = wanted.get(key) ?? { requests: 0, bad: 0 }
      wanted.set(key, { requests: count.requests + 1, bad: count.bad + (isError ? 1 : 0) })
    }

    const range = 'from=2023-01-29T08:00:00Z&to=2023-01-29T09:00:00Z'
    const { items } = await surety.get<ServicesReply>(`/api/v1/services?${range}`)
    expect(items.reduce((sum, { requests }) => sum + requests, 0)).toBe(spans.length)
    const found = new Map<string, { requests: number; bad: number }>()
    for (const { service } of items) {
      const path = `/api/v1/services/${encodeURIComponent(service)}/series?${range}&stepSeconds=60`
      const series = await surety.get<ServiceSeriesReply>(path)
      for (const { points } of series.versions) {
        for (const { at, requests, bad } of points) found.set(`${service} ${at}`, { requests, bad })
      }
    }
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted))

    const failed = spans.find(({ isError }) => isError)
    const trace = await surety.get<TraceReply>(`/api/v1/traces/${failed?.traceId}`)
    expect(trace.spans).toHaveLength(spans.filter(({ traceId }) => traceId === failed?.traceId).length)
    expect(trace.spans.find(({ spanId }) => spanId === failed?.spanId)).toMatchObject({
      service: failed?.service,
      outcome: 'system_error',
    })
  } finally {
    await surety.stop()
  }
})
