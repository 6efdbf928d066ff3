import { describe, expect, test } from 'vitest'
import { IngestConfig } from '../config.ts'
import { accessProblems } from './access.ts'
import { readConfig, type ConfigError } from './config.ts'
import { isLoopback } from './reach.ts'

function problems(env: Record<string, string>): readonly string[] {
  try {
    readConfig(IngestConfig, env, undefined, accessProblems)
    return []
  } catch (error) {
    return (error as ConfigError).problems
  }
}

const BEYOND = {
  SURETY_HOST: '0.0.0.0',
  SURETY_TOKENS_FILE: 'tokens.json',
  SURETY_TLS_CERT_FILE: 'cert.pem',
  SURETY_TLS_KEY_FILE: 'key.pem',
  SURETY_ALLOWED_HOSTS: 'surety.bank.example',
}
const without = (name: keyof typeof BEYOND) =>
  Object.fromEntries(Object.entries(BEYOND).filter(([key]) => key !== name))

describe('which addresses this machine alone can reach', () => {
  test.each([
    { host: '127.0.0.1', alone: true },
    { host: '127.9.9.9', alone: true },
    { host: '::1', alone: true },
    { host: '0:0:0:0:0:0:0:1', alone: true },
    { host: 'localhost', alone: true },
    { host: '0.0.0.0', alone: false },
    { host: '::', alone: false },
    { host: '10.0.0.1', alone: false },
    { host: '::ffff:127.0.0.1', alone: true },
    { host: '::ffff:10.0.0.1', alone: false },
    { host: 'localhost.bank.example', alone: false },
    { host: 'surety', alone: false },
  ])('$host: $alone', ({ host, alone }) => expect(isLoopback(host)).toBe(alone))
})

describe('what belongs together', () => {
  test.each([
    { name: 'loopback needs nothing', env: {} },
    { name: 'beyond with everything', env: BEYOND },
    {
      name: 'behind a proxy that ends TLS no certificate is needed',
      env: {
        SURETY_HOST: '10.0.0.1',
        SURETY_TOKENS_FILE: 't.json',
        SURETY_TLS_TERMINATED: '1',
        SURETY_ALLOWED_HOSTS: 'surety.bank.example, [fd00::1]',
      },
    },
    {
      name: 'loopback may ask for tokens',
      env: { SURETY_TOKENS_REQUIRED: '1', SURETY_TOKENS_FILE: 't.json' },
    },
  ])('$name', ({ env }) => expect(problems(env)).toEqual([]))

  test('beyond loopback everything that is missing is named at once', () => {
    expect(problems({ SURETY_HOST: '0.0.0.0' })).toEqual([
      'SURETY_HOST="0.0.0.0": must be a loopback address (127.0.0.1, ::1, localhost), since others may reach this one; ' +
        'to let them, set SURETY_TOKENS_FILE (senders and readers then need a token; «surety token create --name NAME» makes one); ' +
        'and SURETY_TLS_CERT_FILE and SURETY_TLS_KEY_FILE, or SURETY_TLS_TERMINATED=1 when a proxy in front ends TLS; ' +
        'and SURETY_ALLOWED_HOSTS (the host names that senders and browsers call it by, without port)',
    ])
  })

  test.each([
    {
      name: 'no tokens',
      env: without('SURETY_TOKENS_FILE'),
      want: [/set SURETY_TOKENS_FILE \([^;]*; [^;]*$/],
    },
    {
      name: 'no host names',
      env: without('SURETY_ALLOWED_HOSTS'),
      want: [/set SURETY_ALLOWED_HOSTS \([^;]*$/],
    },
    {
      name: 'a key alone',
      env: without('SURETY_TLS_CERT_FILE'),
      want: [/set SURETY_TLS_CERT_FILE and/, /^SURETY_TLS_KEY_FILE: needs SURETY_TLS_CERT_FILE/],
    },
    {
      name: 'a certificate alone',
      env: without('SURETY_TLS_KEY_FILE'),
      want: [/^SURETY_TLS_CERT_FILE: needs SURETY_TLS_KEY_FILE/],
    },
    {
      name: 'client certificates without TLS',
      env: { SURETY_TLS_CLIENT_CA_FILE: 'ca.pem' },
      want: [/^SURETY_TLS_CLIENT_CA_FILE: needs SURETY_TLS_CERT_FILE/],
    },
    {
      name: 'tokens asked for and none named',
      env: { SURETY_TOKENS_REQUIRED: '1' },
      want: [/^SURETY_TOKENS_REQUIRED=1: needs SURETY_TOKENS_FILE/],
    },
    {
      name: 'TLS on localhost, which is two addresses',
      env: { ...BEYOND, SURETY_HOST: 'localhost' },
      want: [/^SURETY_HOST="localhost": with TLS name one address/],
    },
    {
      name: 'a host name with scheme and port',
      env: { ...BEYOND, SURETY_ALLOWED_HOSTS: 'https://surety:8080' },
      want: [/must be host names without scheme and port/],
    },
    {
      name: 'an address with a port',
      env: { SURETY_HOST: 'http://[::]:80' },
      want: [/^SURETY_HOST=.*must be an IP address or a host name/],
    },
    {
      name: 'problems of a field and between fields come together',
      env: { SURETY_HTTP_PORT: 'eighty', SURETY_HOST: '::' },
      want: [/^SURETY_HTTP_PORT="eighty": /, /^SURETY_HOST="::": must be a loopback address/],
    },
  ])('$name', ({ env, want }) => {
    const found = problems(env)
    expect(found).toHaveLength(want.length)
    found.forEach((line, index) => expect(line).toMatch(want[index] ?? /^$/))
  })
})
