import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { kafkaSecurity, kafkaSecurityProblems } from './security.ts'

test.each([
  { name: 'nothing', config: { SURETY_KAFKA_TLS: false }, want: [] },
  {
    name: 'a certificate without its key',
    config: { SURETY_KAFKA_TLS: true, SURETY_KAFKA_TLS_CERT_FILE: 'c' },
    want: [/one needs the other/],
  },
  {
    name: 'a CA while TLS is off',
    config: { SURETY_KAFKA_TLS: false, SURETY_KAFKA_TLS_CA_FILE: 'ca' },
    want: [/^SURETY_KAFKA_TLS: must be 1/],
  },
  {
    name: 'a password without a mechanism',
    config: { SURETY_KAFKA_TLS: true, SURETY_KAFKA_SASL_PASSWORD: 'x' },
    want: [/must be one of plain, scram-sha-256, scram-sha-512/],
  },
  {
    name: 'a mechanism without a password',
    config: {
      SURETY_KAFKA_TLS: true,
      SURETY_KAFKA_SASL_MECHANISM: 'scram-sha-512' as const,
      SURETY_KAFKA_SASL_USERNAME: 'u',
    },
    want: [/needs SURETY_KAFKA_SASL_USERNAME and SURETY_KAFKA_SASL_PASSWORD/],
  },
  {
    name: 'a password in the clear',
    config: {
      SURETY_KAFKA_TLS: false,
      SURETY_KAFKA_SASL_MECHANISM: 'plain' as const,
      SURETY_KAFKA_SASL_USERNAME: 'u',
      SURETY_KAFKA_SASL_PASSWORD: 'p',
    },
    want: [/would send the password in the clear/],
  },
])('$name', ({ config, want }) => {
  expect(kafkaSecurityProblems(config)).toEqual(
    want.map((pattern) => expect.stringMatching(pattern) as string),
  )
})

test('files are read; one that is missing is named', () => {
  const folder = mkdtempSync(join(tmpdir(), 'surety-security-'))
  try {
    const ca = join(folder, 'ca.pem')
    writeFileSync(ca, 'the CA')
    expect(kafkaSecurity({ SURETY_KAFKA_TLS: true, SURETY_KAFKA_TLS_CA_FILE: ca })).toEqual({
      tls: { ca: 'the CA' },
    })
    expect(() =>
      kafkaSecurity({ SURETY_KAFKA_TLS: true, SURETY_KAFKA_TLS_CA_FILE: join(folder, 'none') }),
    ).toThrow(/SURETY_KAFKA_TLS_CA_FILE=.*none: cannot be read/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
