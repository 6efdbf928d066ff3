// Data directories as the first start leaves them: an empty store and an empty registry, both migrated.

import { join } from 'node:path'
import { openEmbeddedStore, type Retention, type Store } from '../../ingest/store/store.ts'
import { spawnSurety } from './surety-process.ts'
import { buildTemplate, copyTemplate } from './template.ts'

const template = buildTemplate({
  name: 'data',
  madeOf: [
    'node_modules/@electric-sql/pglite/package.json',
    'node_modules/chdb/package.json',
    'ingest/store/schema/',
    'ingest/store/migrate.ts',
    'ingest/store/retention.ts',
    'query/registry/schema/',
    'query/registry/migrate.ts',
  ],
  // In a process of its own: this one may have a store open, and has one at a time.
  async make(folder) {
    const { code, stdout, stderr } = await spawnSurety(['migrate'], { SURETY_DATA_DIR: folder }).ended
    if (code !== 0) throw new Error(`surety migrate ended with ${code}: ${stdout}${stderr}`)
  },
})

/** Puts an empty registry into a data directory that has none. */
export async function makeEmptyRegistry(dataDir: string): Promise<void> {
  copyTemplate(join(await template(), 'registry'), join(dataDir, 'registry'))
}

/** Puts an empty store into a data directory that has none. */
export async function makeEmptyStore(dataDir: string): Promise<void> {
  copyTemplate(join(await template(), 'clickhouse'), join(dataDir, 'clickhouse'))
}

/** Both of them. */
export async function makeEmptyData(dataDir: string): Promise<void> {
  await makeEmptyStore(dataDir)
  await makeEmptyRegistry(dataDir)
}

/** The embedded store of a directory, as Surety opens it; an empty one where there is none. */
export async function openTestStore(dataDir: string, retention?: Retention): Promise<Store> {
  await makeEmptyStore(dataDir)
  return openEmbeddedStore(dataDir, retention)
}
