// Metrics of the real OpenTelemetry SDK: instruments of every kind, its exporter over OTLP/HTTP with gzip, and a
// person who asks the API.

import { AggregationTemporalityPreference } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { expect, test } from 'vitest'
import type { MetricQueryReply, MetricsReply } from '../../query/http/schemas.ts'
import { eventually, startSurety } from '../support/surety.ts'

test.each([
  { temporality: 'cumulative', preference: AggregationTemporalityPreference.CUMULATIVE },
  { temporality: 'delta', preference: AggregationTemporalityPreference.DELTA },
])(
  '$temporality metrics of the real SDK are listed, and add up over exports',
  async ({ temporality, preference }) => {
    const surety = await startSurety()
    process.env['OTEL_EXPORTER_OTLP_COMPRESSION'] = 'gzip'
    const exporter = new OTLPMetricExporter({
      url: `${surety.otlpHttpUrl}/v1/metrics`,
      temporalityPreference: preference,
    })
    const provider = new MeterProvider({
      resource: resourceFromAttributes({ 'service.name': 'ledger', 'bank.site': 'sh-a' }),
      readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
      views: [
        {
          instrumentName: 'queue.wait',
          aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
        },
      ],
    })
    try {
      const meter = provider.getMeter('bank', '1.0')
      const postings = meter.createCounter('postings', { unit: '{posting}', description: 'postings made' })
      const open = meter.createUpDownCounter('connections')
      const duration = meter.createHistogram('duration', { unit: 'ms' })
      const wait = meter.createHistogram('queue.wait', { unit: 'ms' })
      meter.createObservableGauge('temperature').addCallback((result) => result.observe(36.6))
      for (let round = 0; round < 3; round += 1) {
        postings.add(10, { channel: 'counter' })
        postings.add(5, { channel: 'mobile' })
        open.add(2)
        for (let index = 0; index < 20; index += 1) {
          duration.record(30)
          wait.record(100)
        }
        await provider.forceFlush()
      }
      await provider.shutdown()

      const { items } = await eventually(
        () => surety.get<MetricsReply>('/api/v1/metrics'),
        (reply) => reply.items.length === 5,
      )
      const kinds = Object.fromEntries(
        items.map(({ name, kind, temporality: of }) => [name, `${kind} ${of}`]),
      )
      expect(kinds).toEqual({
        postings: `sum ${temporality}`,
        // An up-down counter stays cumulative, as the SDK's delta preference says.
        connections: 'sum cumulative',
        duration: `histogram ${temporality}`,
        'queue.wait': `exp_histogram ${temporality}`,
        temperature: 'gauge none',
      })
      const ask = (metric: string, fn: string, more = '') =>
        surety.get<MetricQueryReply>(
          `/api/v1/metrics/query?metric=${metric}&function=${fn}&from=-1h&stepSeconds=7200${more}`,
        )
      const valueOf = async (metric: string, fn: string) =>
        (await ask(metric, fn)).series[0]?.points.reduce((sum, { value }) => sum + (value ?? 0), 0)
      expect(await valueOf('postings', 'increase')).toBe(45)
      const byChannel = await ask('postings', 'increase', '&by=channel')
      expect(
        Object.fromEntries(
          byChannel.series.map(({ labels, points }) => [labels['channel'], points[0]?.value]),
        ),
      ).toEqual({ counter: 30, mobile: 15 })
      expect(await valueOf('connections', 'last')).toBe(6)
      expect(await valueOf('temperature', 'last')).toBe(36.6)
      expect(await valueOf('duration', 'increase')).toBe(60)
      expect(await valueOf('duration', 'avg')).toBe(30)
      expect(await valueOf('queue.wait', 'increase')).toBe(60)
      const p50 = (await valueOf('queue.wait', 'p50')) ?? 0
      expect(Math.abs(p50 - 100)).toBeLessThan(5)
    } finally {
      await surety.stop()
    }
  },
)
