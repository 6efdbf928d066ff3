// Documents that came over the API, read with what is kept.

import { readBundle, type Bundle, type BundleFile } from '../registry/bundle.ts'
import { idOf } from '../registry/object.ts'
import type { ApiParts } from './api.ts'
import { documentsRefused } from './refusals.ts'

/** @throws ContentRefused with everything that is wrong */
export async function readDocumentsOfApi(
  { registry, parsers }: Pick<ApiParts, 'registry' | 'parsers'>,
  files: readonly BundleFile[],
): Promise<Bundle> {
  const looksAt = [...new Set(parsers.flatMap((parser) => parser.looksAt))]
  const kept = new Map(
    (looksAt.length === 0 ? [] : await registry.all(looksAt)).map((object) => [idOf(object), object]),
  )
  const bundle = readBundle(files, parsers, (kind, name) => kept.get(idOf({ kind, name })))
  if (bundle.problems.some(({ severity }) => severity === 'error')) throw documentsRefused(bundle.problems)
  return bundle
}
