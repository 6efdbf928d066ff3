// The kinds of store that contracts hold for: the embedded engine, a server and a cluster (each a front over the same
// engine), and, when CLICKHOUSE_URL is set, a real server. One engine of a process has one data directory at a time, so a
// place is closed before the next is made.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DEFAULT_RETENTION,
  openStore,
  type Retention,
  type ServerTarget,
  type Store,
} from '../../ingest/store/store.ts'
import { openServerStore } from '../../ingest/store/server-store.ts'
import { openClickHouseFront, type ClickHouseFront } from './clickhouse-front.ts'
import { openTestStore } from './empty-data.ts'
import { buildTemplate, copyTemplate } from './template.ts'

export type StorePlaceForTests = {
  /** The store, migrated; what was stored before is there again. */
  open(retention?: Retention): Promise<Store>
  /** The server's front, where there is one. */
  readonly front: ClickHouseFront | undefined
  readonly target: ServerTarget | undefined
  /** Everything is gone. */
  remove(): Promise<void>
}

export type StoreKind = {
  readonly name: string
  readonly isCluster: boolean
  /** Whether a test has its hands on the server. */
  readonly hasFront: boolean
  make(): Promise<StorePlaceForTests>
}

const embedded: StoreKind = {
  name: 'embedded engine',
  isCluster: false,
  hasFront: false,
  make() {
    const folder = mkdtempSync(join(tmpdir(), 'surety-store-'))
    return Promise.resolve({
      open: (retention) => openTestStore(folder, retention),
      front: undefined,
      target: undefined,
      remove: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
    })
  },
}

const ACCESS = { user: 'surety', password: "it's & + % 密码" }

function fronted(name: string, cluster: string | undefined): StoreKind {
  const openFront = (dataDir: string) =>
    openClickHouseFront({ ...ACCESS, ...(cluster === undefined ? {} : { cluster }), dataDir })
  const database = 'surety'
  const targetOf = ({ url }: ClickHouseFront): ServerTarget => ({
    ...ACCESS,
    urls: [url],
    database,
    cluster: cluster === undefined ? undefined : { name: cluster, database, insertQuorum: 'auto' },
  })
  const template = buildTemplate({
    name,
    madeOf: [
      'node_modules/chdb/package.json',
      'ingest/store/schema/',
      ...['migrate', 'cluster-sql', 'server-store', 'retention'].map((file) => `ingest/store/${file}.ts`),
      'test/support/clickhouse-front.ts',
    ],
    async make(folder) {
      const front = await openFront(join(folder, 'data'))
      const store = await openServerStore(targetOf(front), DEFAULT_RETENTION, { migrates: true })
      await store.close()
      await front.close()
    },
  })
  return {
    name,
    isCluster: cluster !== undefined,
    hasFront: true,
    async make() {
      const folder = mkdtempSync(join(tmpdir(), 'surety-front-'))
      copyTemplate(join(await template(), 'data'), join(folder, 'data'))
      const front = await openFront(join(folder, 'data'))
      const target = targetOf(front)
      return {
        open: opener(target),
        front,
        target,
        async remove() {
          await front.close()
          rmSync(folder, { recursive: true, force: true })
        },
      }
    },
  }
}

/** `http://user:password@host:8123`; CLICKHOUSE_CLUSTER names a cluster of it. */
function real(given: string): StoreKind {
  return {
    name: 'server at CLICKHOUSE_URL',
    isCluster: process.env['CLICKHOUSE_CLUSTER'] !== undefined,
    hasFront: false,
    async make() {
      const url = new URL(given)
      const database = `surety_test_${crypto.randomUUID().slice(0, 8)}`
      const cluster = process.env['CLICKHOUSE_CLUSTER']
      const target: ServerTarget = {
        urls: [url.origin],
        user: decodeURIComponent(url.username) || 'default',
        password: decodeURIComponent(url.password),
        database,
        cluster: cluster === undefined ? undefined : { name: cluster, database },
      }
      return {
        open: opener(target),
        front: undefined,
        target,
        async remove() {
          const store = await openServerStore(target, DEFAULT_RETENTION, { migrates: true })
          const on = cluster === undefined ? '' : ` ON CLUSTER '${cluster}'`
          if (cluster !== undefined) await store.command(`DROP DATABASE ${database}_local${on} SYNC`)
          await store.command(`DROP DATABASE ${database}${on} SYNC`)
          await store.close()
        },
      }
    },
  }
}

// As operators do: first «surety migrate», then the processes.
const opener =
  (target: ServerTarget) =>
  async (retention: Retention = DEFAULT_RETENTION) => {
    const migrated = await openServerStore(target, retention, { migrates: true })
    await migrated.close()
    return openStore({ dataDir: '/nowhere', server: target, retention })
  }

const given = process.env['CLICKHOUSE_URL'] ?? ''
if (given === '') {
  process.stdout.write(
    'CLICKHOUSE_URL is not set: server contracts run against the front, not against a real server.\n',
  )
}

export const SERVER_KINDS: readonly StoreKind[] = [
  fronted('server', undefined),
  fronted('cluster', 'bank'),
  ...(given === '' ? [] : [real(given)]),
]

export const STORE_KINDS: readonly StoreKind[] = [embedded, ...SERVER_KINDS]
