import { describe, expect, test } from 'vitest'
import { DEMO_VARIABLES, readDemoConfig } from './config.ts'

describe('configuration', () => {
  test('an empty environment gives the defaults', () => {
    expect(readDemoConfig({})).toEqual({
      SURETY_DEMO_HISTORY: 7,
      SURETY_DEMO_PORT: 8090,
      SURETY_DEMO_RATE: 20,
      SURETY_DEMO_SEED: 1,
      SURETY_DEMO_FAILOVER_MS: 20_000,
      SURETY_DEMO_SURETY_URL: 'http://127.0.0.1:8080',
      SURETY_LOG_LEVEL: 'info',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
    })
  })

  test('variables of other roles are none of its business', () => {
    expect(() => readDemoConfig({ SURETY_HTTP_PORT: '9999' })).not.toThrow()
  })

  test.each([
    { name: 'a misspelt name', env: { SURETY_DEMO_RAET: '5' }, want: /SURETY_DEMO_RAET.*SURETY_DEMO_RATE/ },
    { name: 'a rate of nothing', env: { SURETY_DEMO_RATE: '0' }, want: /SURETY_DEMO_RATE="0".*1 to 200/ },
    { name: 'a link that runs code', env: { SURETY_DEMO_SURETY_URL: 'javascript:1' }, want: /http or https/ },
  ])('refuses $name', ({ env, want }) => {
    expect(() => readDemoConfig(env)).toThrow(want)
  })

  test('lists the names other processes must let pass', () => {
    expect(DEMO_VARIABLES).toContain('SURETY_DEMO_PORT')
    expect(DEMO_VARIABLES.every((name) => name.startsWith('SURETY_'))).toBe(true)
  })
})
