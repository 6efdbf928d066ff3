// How the connection to the brokers is protected, from the configuration: TLS and SASL as the client wants them, and
// which variables belong together.

import { readFileSync } from 'node:fs'
import { ConfigError } from '../runtime/config.ts'
import type { KafkaClientOptions } from './kafkajs-client.ts'

export const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const

export type KafkaSecurityConfig = {
  readonly SURETY_KAFKA_TLS: boolean
  readonly SURETY_KAFKA_TLS_CA_FILE?: string | undefined
  readonly SURETY_KAFKA_TLS_CERT_FILE?: string | undefined
  readonly SURETY_KAFKA_TLS_KEY_FILE?: string | undefined
  readonly SURETY_KAFKA_SASL_MECHANISM?: (typeof SASL_MECHANISMS)[number] | undefined
  readonly SURETY_KAFKA_SASL_USERNAME?: string | undefined
  readonly SURETY_KAFKA_SASL_PASSWORD?: string | undefined
}

/** What is wrong between variables that are right each for itself. */
export function kafkaSecurityProblems(config: Partial<KafkaSecurityConfig>): string[] {
  const {
    SURETY_KAFKA_TLS_CERT_FILE: cert,
    SURETY_KAFKA_TLS_KEY_FILE: key,
    SURETY_KAFKA_TLS_CA_FILE: ca,
    SURETY_KAFKA_SASL_MECHANISM: mechanism,
    SURETY_KAFKA_SASL_USERNAME: username,
    SURETY_KAFKA_SASL_PASSWORD: password,
  } = config
  const problems: string[] = []
  if ((cert === undefined) !== (key === undefined)) {
    problems.push('SURETY_KAFKA_TLS_CERT_FILE and SURETY_KAFKA_TLS_KEY_FILE: one needs the other')
  }
  if (config.SURETY_KAFKA_TLS === false && (ca ?? cert ?? key) !== undefined) {
    problems.push('SURETY_KAFKA_TLS: must be 1 for its CA, certificate and key to be used')
  }
  if (mechanism === undefined && (username ?? password) !== undefined) {
    problems.push(
      `SURETY_KAFKA_SASL_MECHANISM: must be one of ${SASL_MECHANISMS.join(', ')} for the user name and password to be used`,
    )
  }
  if (mechanism !== undefined && (username === undefined || password === undefined)) {
    problems.push(
      'SURETY_KAFKA_SASL_MECHANISM: needs SURETY_KAFKA_SASL_USERNAME and SURETY_KAFKA_SASL_PASSWORD',
    )
  }
  if (mechanism === 'plain' && config.SURETY_KAFKA_TLS === false) {
    problems.push(
      'SURETY_KAFKA_SASL_MECHANISM="plain": would send the password in the clear; set SURETY_KAFKA_TLS=1 or use scram-sha-512',
    )
  }
  return problems
}

/** @throws ConfigError naming the file that cannot be read */
export function kafkaSecurity(config: KafkaSecurityConfig): Pick<KafkaClientOptions, 'tls' | 'sasl'> {
  const {
    SURETY_KAFKA_SASL_MECHANISM: mechanism,
    SURETY_KAFKA_SASL_USERNAME: username,
    SURETY_KAFKA_SASL_PASSWORD: password,
  } = config
  const files = {
    ca: read('SURETY_KAFKA_TLS_CA_FILE', config),
    cert: read('SURETY_KAFKA_TLS_CERT_FILE', config),
    key: read('SURETY_KAFKA_TLS_KEY_FILE', config),
  }
  const given = Object.fromEntries(Object.entries(files).filter(([, text]) => text !== undefined))
  return {
    ...(config.SURETY_KAFKA_TLS ? { tls: Object.keys(given).length === 0 ? true : given } : {}),
    ...(mechanism === undefined || username === undefined || password === undefined
      ? {}
      : { sasl: { mechanism, username, password } }),
  }
}

function read(
  name: 'SURETY_KAFKA_TLS_CA_FILE' | 'SURETY_KAFKA_TLS_CERT_FILE' | 'SURETY_KAFKA_TLS_KEY_FILE',
  config: KafkaSecurityConfig,
): string | undefined {
  const path = config[name]
  if (path === undefined) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError([`${name}=${path}: cannot be read (${(error as Error).message})`])
  }
}
