import kafkajs from 'kafkajs'
import { expect, test } from 'vitest'
import { KafkaError } from './kafka-port.ts'
import { kafkaError } from './kafkajs-client.ts'

const protocol = (type: string, retriable: boolean) =>
  Object.assign(new kafkajs.KafkaJSProtocolError(new Error('said by the broker')), { type, retriable })

// As kafkajs does at the end of its retries; its types leave the cause out.
const wrapped = (cause: Error) => {
  const exceeded = new kafkajs.KafkaJSNumberOfRetriesExceeded(cause, { retryCount: 5, retryTime: 100 })
  return Object.assign(new kafkajs.KafkaJSNonRetriableError(exceeded), { cause: exceeded })
}

test.each([
  {
    name: 'an old generation is stale',
    error: protocol('ILLEGAL_GENERATION', false),
    code: 'SURETY_KAFKA_STALE',
    retryable: false,
  },
  {
    name: 'a forgotten member is stale, also when kafkajs wraps it twice',
    error: wrapped(protocol('UNKNOWN_MEMBER_ID', false)),
    code: 'SURETY_KAFKA_STALE',
    retryable: false,
  },
  {
    name: 'a coordinator that is loading is busy',
    error: protocol('GROUP_LOAD_IN_PROGRESS', true),
    code: 'SURETY_KAFKA_BUSY',
    retryable: true,
  },
  {
    name: 'a missing topic may appear',
    error: protocol('UNKNOWN_TOPIC_OR_PARTITION', true),
    code: 'SURETY_KAFKA_TOPIC_MISSING',
    retryable: true,
  },
  {
    name: 'a forbidden topic is a setting',
    error: protocol('TOPIC_AUTHORIZATION_FAILED', false),
    code: 'SURETY_KAFKA_CONFIG',
    retryable: false,
  },
  {
    name: 'a refused connection is unreachable, also at the end of the retries',
    error: wrapped(new kafkajs.KafkaJSConnectionError('refused', { code: 'ECONNREFUSED' })),
    code: 'SURETY_KAFKA_UNREACHABLE',
    retryable: true,
  },
  {
    name: 'an untrusted certificate is a setting',
    error: new kafkajs.KafkaJSConnectionError('tls', { code: 'SELF_SIGNED_CERT_IN_CHAIN' }),
    code: 'SURETY_KAFKA_CONFIG',
    retryable: false,
  },
  {
    name: 'an error of ours inside a driver error keeps its code',
    error: wrapped(new KafkaError('SURETY_KAFKA_CONFIG', 'records compressed with lz4 cannot be read')),
    code: 'SURETY_KAFKA_CONFIG',
    retryable: false,
  },
  {
    name: 'an error nobody knows is failed, and not repeated',
    error: new RangeError('what'),
    code: 'SURETY_KAFKA_FAILED',
    retryable: false,
  },
])('$name', ({ error, code, retryable }) => {
  const found = kafkaError(error, 'commit t-0 at 5')
  expect(found).toBeInstanceOf(KafkaError)
  expect(found).toMatchObject({ code, retryable, cause: error })
  expect(found.message).toContain('could not commit t-0 at 5')
})

test('an error that is already classified stays itself', () => {
  const error = new KafkaError('SURETY_KAFKA_STALE', 'gone')
  expect(kafkaError(error, 'commit')).toBe(error)
})
