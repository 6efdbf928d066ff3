// What the demo bank's registry holds: its systems with their tiers, and the SLOs of the examples. Put there once; what a visitor
// changes stays.

import { readdirSync, readFileSync } from 'node:fs'
import { PARSERS } from '../query/parsers.ts'
import type { QueryRole } from '../query/main.ts'
import { readBundle } from '../query/registry/bundle.ts'
import { idOf, KINDS, type Author } from '../query/registry/object.ts'

const BUNDLES = [
  { bundle: 'demo-bank', folder: new URL('./demo/registry/', import.meta.url) },
  { bundle: 'demo-slos', folder: new URL('./slos/', import.meta.url) },
] as const

const AUTHOR: Author = {
  actor: 'surety:demo',
  via: 'command line',
  origin: '',
  reason: 'first start of the demo bank',
  request: 'demo',
}

/** @throws Error when an example cannot be read: a defect of ours */
export async function applyDemoDefinitions({ registry }: Pick<QueryRole, 'registry'>): Promise<void> {
  for (const { bundle, folder } of BUNDLES) {
    const kept = new Map((await registry.all(KINDS)).map((object) => [idOf(object), object]))
    if ([...kept.values()].some((object) => object.bundle === bundle)) continue
    const files = readdirSync(folder)
      .filter((name) => name.endsWith('.yaml'))
      .map((file) => ({ file, text: readFileSync(new URL(file, folder), 'utf8') }))
    const { objects, problems } = readBundle(files, PARSERS, (kind, name) => kept.get(idOf({ kind, name })))
    const wrong = problems.filter(({ severity }) => severity === 'error')
    if (wrong.length > 0)
      throw new Error(wrong.map(({ file, line, message }) => `${file}:${line}: ${message}`).join('\n'))
    await registry.apply(objects, AUTHOR, { bundle })
  }
}
