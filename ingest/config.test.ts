import { expect, test } from 'vitest'
import { doorlessProblems, IngestConfig, ingestProblems } from './config.ts'
import { ConfigError, readConfig, type Environment } from './runtime/config.ts'

function problems(env: Environment): readonly string[] {
  try {
    readConfig(IngestConfig, env, undefined, ingestProblems)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const KAFKA_BROKERS = 'kafka-1:9092'

test.each([
  { name: 'no gateway needs no broker', env: { SURETY_GATEWAY: '0' }, want: [] },
  { name: 'a gateway with a broker', env: { SURETY_GATEWAY: 'only', KAFKA_BROKERS }, want: [] },
  {
    name: 'a gateway without a broker',
    env: { SURETY_GATEWAY: '1' },
    want: ['SURETY_GATEWAY: needs KAFKA_BROKERS, the brokers that requests are handed to'],
  },
  {
    name: 'a gateway without a topic of metrics',
    env: { SURETY_GATEWAY: '1', KAFKA_BROKERS, SURETY_KAFKA_TOPIC_METRICS: 'none' },
    want: ['SURETY_GATEWAY: hands on every signal; SURETY_KAFKA_TOPIC_METRICS must name a topic'],
  },
  {
    name: 'another word',
    env: { SURETY_GATEWAY: 'kafka', KAFKA_BROKERS },
    want: ['SURETY_GATEWAY="kafka": must be 0, 1 or only'],
  },
  {
    name: 'own traces to a URL and a share',
    env: { SURETY_TRACES_ENDPOINT: 'http://127.0.0.1:4318/v1/traces', SURETY_TRACES_RATIO: '0.25' },
    want: [],
  },
  {
    name: 'own traces to no URL, a share above one',
    env: { SURETY_TRACES_ENDPOINT: 'localhost', SURETY_TRACES_RATIO: '2' },
    want: [
      'SURETY_TRACES_ENDPOINT="localhost": must be self, or a URL such as http://127.0.0.1:4318/v1/traces',
      'SURETY_TRACES_RATIO="2": must be a number from 0 to 1',
    ],
  },
])('$name', ({ env, want }) => {
  expect(problems(env)).toEqual(want)
})

test('own traces to oneself need a door', () => {
  expect(doorlessProblems({ SURETY_TRACES_ENDPOINT: 'self' })).toEqual([
    'SURETY_TRACES_ENDPOINT=self: needs the role ingest in the same process; give the URL of a door',
  ])
  expect(doorlessProblems({ SURETY_TRACES_ENDPOINT: 'http://surety.bank.example/v1/traces' })).toEqual([])
})
