// What `surety doctor` finds out about who may pass: the file of tokens and when they end, the certificate and when it ends.

import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { needsTokens, type AccessConfig } from '../../ingest/runtime/access.ts'
import { isLoopback } from '../../ingest/runtime/reach.ts'
import { readTlsFiles } from '../../ingest/runtime/tls.ts'
import { readTokenFile } from '../../ingest/runtime/tokens.ts'
import { fail, ok, warn, type Finding } from './finding.ts'

const DAY_MS = 86_400_000
// Time enough to have a new one made and brought.
const ENDS_SOON_MS = 21 * DAY_MS

export async function access(config: AccessConfig, nowMs: number): Promise<Finding[]> {
  return [...(await tokens(config, nowMs)), ...(await tls(config, nowMs))]
}

async function tokens(config: AccessConfig, nowMs: number): Promise<Finding[]> {
  const check = 'tokens'
  const { SURETY_TOKENS_FILE: file } = config
  if (!needsTokens(config)) return [ok(check, 'none are asked for: only this machine reaches the doors')]
  if (file === undefined) return []
  const read = await readTokenFile(file)
  if (read.kind === 'wrong') {
    return read.problems.map((problem) =>
      fail(check, `${file}: ${problem}`, 'Correct the file; until then no start and no change of tokens.'),
    )
  }
  const ends = read.entries.map(({ name, scopes, notAfter }) => ({
    name,
    scopes,
    endsMs: notAfter === undefined ? Number.POSITIVE_INFINITY : Date.parse(notAfter),
  }))
  const good = ends.filter(({ endsMs }) => endsMs > nowMs)
  const goodNames = new Set(good.map(({ name }) => name))
  const named = (entries: readonly { readonly name: string }[]) =>
    [...new Set(entries.map(({ name }) => `«${name}»`))].join(', ')
  const ended = ends.filter(({ name }) => !goodNames.has(name))
  const soon = good.filter(({ name, endsMs }) => {
    const others = good.filter((other) => other.name === name)
    return endsMs < nowMs + ENDS_SOON_MS && others.every((other) => other.endsMs <= endsMs)
  })
  const remedy = 'Make the next one: surety token create --name NAME; then give it to who uses it.'
  if (good.length === 0)
    return [fail(check, `${file} holds no token that is good; every request is refused`, remedy)]
  const findings = [ok(check, `${good.length} are good, of ${goodNames.size} names`)]
  if (ended.length > 0) findings.push(warn(check, `${named(ended)} ended`, remedy))
  if (soon.length > 0) findings.push(warn(check, `${named(soon)} will end within three weeks`, remedy))
  if (!good.some(({ scopes }) => scopes.includes('ingest')))
    findings.push(warn(check, 'none has the scope ingest: nobody can send telemetry to the doors', remedy))
  return findings
}

async function tls(config: AccessConfig, nowMs: number): Promise<Finding[]> {
  const check = 'TLS'
  const { SURETY_TLS_CERT_FILE: certFile, SURETY_TLS_KEY_FILE: keyFile } = config
  if (certFile === undefined || keyFile === undefined) {
    if (isLoopback(config.SURETY_HOST)) return [ok(check, 'none: only this machine reaches the doors')]
    return [ok(check, 'a proxy in front ends it (SURETY_TLS_TERMINATED)')]
  }
  const files = { certFile, keyFile, clientCaFile: config.SURETY_TLS_CLIENT_CA_FILE }
  const read = await readTlsFiles(files)
  if (read.kind === 'wrong') {
    return read.problems.map((problem) =>
      fail(check, problem, 'Correct the file; until then no start succeeds.'),
    )
  }
  const findings = [judgeEnd(check, 'the certificate', read.certificate, nowMs)]
  if (files.clientCaFile !== undefined) {
    const ca = new X509Certificate(await readFile(files.clientCaFile))
    findings.push(judgeEnd(check, 'the CA of client certificates', ca, nowMs))
  }
  return findings
}

function judgeEnd(check: string, what: string, certificate: X509Certificate, nowMs: number): Finding {
  const [begins, ends] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]
  const text = `${what} is good until ${new Date(ends).toISOString()}`
  const remedy = 'Put the renewed files in place; a running Surety takes them without a restart.'
  if (ends <= nowMs) return fail(check, `${what} ended at ${new Date(ends).toISOString()}`, remedy)
  if (begins > nowMs)
    return fail(
      check,
      `${what} begins at ${new Date(begins).toISOString()}`,
      'Look at this machine’s clock, or at the files.',
    )
  return ends < nowMs + ENDS_SOON_MS ? warn(check, text, remedy) : ok(check, text)
}
