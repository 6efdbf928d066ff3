// The folders are the data flow: who may import whom, as a table, so that the drawing in STYLE and ARCHITECTURE
// cannot drift.

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Folder → folders of this project that its files may import from. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  ingest: ['ingest'],
  query: ['query', 'ingest'],
  // Types of the API contract only; everything else over HTTP.
  dashboards: [
    'dashboards',
    'query/http/schemas.ts',
    'query/http/fault-schemas.ts',
    'query/http/registry-schemas.ts',
    'query/http/release-schemas.ts',
    'query/http/report-schemas.ts',
    'query/http/slo-schemas.ts',
    'query/http/verdict-schemas.ts',
    'query/http/change-schemas.ts',
  ],
  // What it measures and judges by is query's.
  alerts: ['alerts', 'query', 'ingest'],
  deploy: ['deploy', 'ingest', 'query', 'alerts'],
  test: ['test', 'deploy', 'ingest', 'query', 'alerts', 'dashboards'],
}

/** Package → the only places that may import it. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  chdb: ['ingest/store/embedded-connections.ts', 'test/bench/', 'test/support/clickhouse-front.ts'],
  '@grpc/grpc-js': ['ingest/otlp/', 'test/'],
  kafkajs: ['ingest/kafka/', 'deploy/kafka/', 'test/'],
  lz4js: ['ingest/kafka/'],
  snappyjs: ['ingest/kafka/'],
  yaml: [
    'query/openslo/',
    'deploy/registry-command.ts',
    'ingest/releases/',
    'deploy/gates/gates.test.ts',
    'test/contracts/release-hooks.test.ts',
  ],
  echarts: ['dashboards/charts/', 'query/http/routes/pages.ts'],
  '@opentelemetry/': ['deploy/demo/', 'ingest/runtime/own-traces-sdk', 'test/'],
  'temporal-polyfill': ['query/calendar/'],
  'chinese-days': ['query/calendar/'],
  'rrule-temporal': ['query/slo/'],
  'playwright-core': ['test/'],
  pg: ['query/registry/database.ts', 'test/support/postgres.ts'],
  '@electric-sql/pglite': ['query/registry/database.ts'],
  protobufjs: ['test/'],
}

/** Inside ingest: a door may use the pipeline, never another door; the pipeline and the store know no door. */
const INSIDE_INGEST: Readonly<Record<string, readonly string[]>> = {
  'ingest/runtime': ['ingest/runtime'],
  'ingest/records': ['ingest/records'],
  'ingest/store': ['ingest/store', 'ingest/runtime', 'ingest/records'],
  'ingest/pipeline': ['ingest/pipeline', 'ingest/store', 'ingest/records', 'ingest/runtime'],
  'ingest/derived': ['ingest/derived', 'ingest/store', 'ingest/runtime'],
  'ingest/otlp': ['ingest/otlp', 'ingest/pipeline', 'ingest/store', 'ingest/records', 'ingest/runtime'],
  'ingest/backup': ['ingest/backup', 'ingest/store', 'ingest/runtime'],
  'ingest/dead-letters': [
    'ingest/dead-letters',
    'ingest/pipeline',
    'ingest/store',
    'ingest/records',
    'ingest/runtime',
  ],
  'ingest/kafka': [
    'ingest/kafka',
    'ingest/pipeline',
    'ingest/store',
    'ingest/records',
    'ingest/runtime',
    'ingest/releases',
  ],
  'ingest/releases': [
    'ingest/releases',
    'ingest/store',
    'ingest/records',
    'ingest/runtime',
    'ingest/pipeline',
  ],
}

/** Inside query: definitions know no people, people no routes, reports neither. */
const INSIDE_QUERY: Readonly<Record<string, readonly string[]>> = {
  'query/registry': ['query/registry', 'query/openslo', 'query/calendar'],
  'query/people': ['query/people', 'query/registry'],
  'query/profiles': [
    'query/profiles',
    'query/registry',
    'query/people',
    'query/reports',
    'query/time-range.ts',
  ],
  'query/reports': ['query/reports', 'query/time-range.ts', 'query/http/schemas.ts'],
  'query/faults': ['query/faults', 'query/blame', 'query/releases', 'query/registry', 'query/time-range.ts'],
  'query/measure': ['query/measure', 'query/slo', 'query/reports', 'query/time-range.ts'],
}

type Import = { readonly from: string; readonly to: string; readonly typeOnly: boolean }

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|tsx|mjs)$/.test(name))
    .map((name) => join(folder, name))
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  const pattern =
    /^\s*(?:import|export)\s+(type\s+)?(?:[\s\S]*?\sfrom\s+)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm
  return [...text.matchAll(pattern)].map((match) => {
    const specifier = match[2] ?? match[3] ?? ''
    const to = specifier.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(file), specifier)) : specifier
    return { from: file, to, typeOnly: match[1] !== undefined }
  })
}

const isUnit = (file: string) => /\.test\.tsx?$/.test(file)
const within = (path: string, place: string) =>
  path === place || path.startsWith(place.endsWith('/') ? place : `${place}/`)
const topFolders = Object.keys(MAY_IMPORT)
const allImports = topFolders.flatMap(sources).flatMap(importsOf)
const own = allImports.filter(({ to }) => topFolders.some((folder) => within(to, folder)))

test('there is something to hold', () => {
  expect(own.length).toBeGreaterThan(100)
})

describe.each(Object.entries(MAY_IMPORT))('%s', (folder, allowed) => {
  test(`imports only from ${allowed.join(', ')}`, () => {
    // Unit tests may also use the test data makers.
    const wrong = own.filter(
      ({ from, to }) =>
        within(from, folder) &&
        !allowed.some((place) => within(to, place)) &&
        !(isUnit(from) && within(to, 'test/support')),
    )
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })
})

test('dashboards take nothing but types from query', () => {
  const wrong = own.filter(
    ({ from, to, typeOnly }) => within(from, 'dashboards') && within(to, 'query') && !typeOnly,
  )
  expect(wrong).toEqual([])
})

describe.each(Object.entries(INSIDE_INGEST))('%s', (folder, allowed) => {
  test(`imports only from ${allowed.join(', ')}`, () => {
    const wrong = own.filter(
      ({ from, to }) =>
        within(from, folder) &&
        within(to, 'ingest') &&
        !isUnit(from) &&
        !allowed.some((place) => within(to, place)),
    )
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })
})

describe.each(Object.entries(INSIDE_QUERY))('%s', (folder, allowed) => {
  test(`imports only from ${allowed.join(', ')}`, () => {
    const wrong = own.filter(
      ({ from, to, typeOnly }) =>
        within(from, folder) &&
        within(to, 'query') &&
        !isUnit(from) &&
        !typeOnly &&
        !allowed.some((place) => within(to, place)),
    )
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })
})

test('query/openslo is pure: no store, no HTTP, no clock', () => {
  const files = sources('query/openslo').filter((file) => !isUnit(file))
  const wrong = own.filter(
    ({ from, to }) =>
      files.includes(from) && !['query/openslo', 'query/slo'].some((place) => within(to, place)),
  )
  expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  const clocks = files.filter((file) => /Date\.now|new Date\(\)/.test(readFileSync(join(ROOT, file), 'utf8')))
  expect(clocks).toEqual([])
})

describe.each(Object.entries(OWNERS))('the package %s', (name, owners) => {
  test(`is imported only in ${owners.join(', ')}`, () => {
    const wrong = allImports.filter(
      ({ from, to }) =>
        (to === name || to.startsWith(name.endsWith('/') ? name : `${name}/`)) &&
        !owners.some((place) => from.startsWith(place)),
    )
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })
})

describe('query/slo, query/calendar and query/statistics are pure', () => {
  test.each([
    ['query/calendar', ['query/calendar']],
    ['query/slo', ['query/slo', 'query/calendar']],
    ['query/statistics', ['query/statistics', 'query/reports/bucket-quantile.ts']],
  ] as const)('%s imports only from %s', (folder, allowed) => {
    const wrong = own.filter(
      ({ from, to }) => within(from, folder) && !isUnit(from) && !allowed.some((place) => within(to, place)),
    )
    expect(wrong.map(({ from, to }) => `${from} → ${to}`)).toEqual([])
  })

  test('they read no clock', () => {
    const wrong = ['query/slo', 'query/calendar', 'query/statistics']
      .flatMap(sources)
      .filter(
        (file) =>
          !isUnit(file) &&
          /Date\.now|new Date\(\)|performance\.now/.test(readFileSync(join(ROOT, file), 'utf8')),
      )
    expect(wrong).toEqual([])
  })
})

test('only the main modules of the roles read the environment', () => {
  const wrong = ['ingest', 'query', 'dashboards']
    .flatMap(sources)
    .filter((file) => !isUnit(file) && readFileSync(join(ROOT, file), 'utf8').includes('process.env'))
  expect(wrong.sort()).toEqual(['ingest/main.ts', 'query/main.ts'])
})

test('no upstream file inserts inline: bytes reach the engine through the transport alone', () => {
  const wrong = ['ingest', 'query']
    .flatMap(sources)
    .filter(
      (file) =>
        !isUnit(file) && /INSERT INTO[^;]*\bFORMAT [A-Z]/.test(readFileSync(join(ROOT, file), 'utf8')),
    )
  expect(wrong).toEqual([])
})
