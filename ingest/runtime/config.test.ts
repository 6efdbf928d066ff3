import { expect, test } from 'vitest'
import { z } from 'zod'
import { IngestConfig } from '../config.ts'
import { readConfig, type ConfigError } from './config.ts'

function problems(env: Record<string, string>): readonly string[] {
  try {
    readConfig(IngestConfig, env)
    return []
  } catch (error) {
    return (error as ConfigError).problems
  }
}

test('an empty environment gives the defaults, frozen', () => {
  const config = readConfig(IngestConfig, {})
  expect(config).toMatchObject({
    SURETY_HTTP_PORT: 8080,
    SURETY_OTLP_HTTP_PORT: 4318,
    SURETY_OTLP_GRPC_PORT: 4317,
    SURETY_HOST: '127.0.0.1',
    SURETY_DATA_DIR: './data',
    KAFKA_BROKERS: [],
  })
  expect(Object.isFrozen(config)).toBe(true)
})

test('every problem is reported together, by variable name', () => {
  const found = problems({ SURETY_HTTP_PORT: 'eighty', SURETY_LINGER_MS: '0', SURETY_LOG_LEVEL: 'loud' })
  expect(found).toEqual([
    'SURETY_HTTP_PORT="eighty": must be a whole number from 0 to 65535',
    'SURETY_LOG_LEVEL="loud": must be one of fatal, error, warn, info, debug, trace, silent',
    'SURETY_LINGER_MS="0": must be a whole number from 1 to 60000',
  ])
})

test('an unknown variable of ours is refused with a suggestion; others are none of our business', () => {
  expect(problems({ SURETY_HTPP_PORT: '1', PATH: '/bin', OTEL_SERVICE_NAME: 'x' })).toEqual([
    'SURETY_HTPP_PORT: no such variable; did you mean SURETY_HTTP_PORT?',
  ])
  expect(problems({ SURETY_COLOUR_OF_THE_SKY_TODAY: 'blue' })).toEqual([
    'SURETY_COLOUR_OF_THE_SKY_TODAY: no such variable',
  ])
})

test('an empty text counts as unset', () => {
  expect(readConfig(z.object({ SURETY_A: z.string().default('x') }), { SURETY_A: '' })).toEqual({
    SURETY_A: 'x',
  })
})

test('lists are split and trimmed', () => {
  expect(readConfig(IngestConfig, { KAFKA_BROKERS: 'a:9092, b:9092,' }).KAFKA_BROKERS).toEqual([
    'a:9092',
    'b:9092',
  ])
})
