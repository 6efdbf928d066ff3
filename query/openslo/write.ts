// Writes openslo/v1 as it is read back: members in the specification's order, nothing added, nothing lost, the same text for the
// same objects.

import { stringify } from 'yaml'
import { OBJECTS_V1, type ObjectV1 } from './schema-v1.ts'

/** An object with its members in the specification's order. @throws ZodError when it is none */
export function canonical<Some extends ObjectV1>(object: Some): Some {
  return OBJECTS_V1[object.kind].parse(object) as Some
}

/** @returns YAML with a document for each object, or a list in JSON */
export function writeOpenSlo(objects: readonly ObjectV1[], format: 'yaml' | 'json' = 'yaml'): string {
  const written = objects.map(canonical)
  if (format === 'json') return `${JSON.stringify(written, null, 2)}\n`
  // Texts that older readers take for dates or yes and no stand in quotes.
  return written
    .map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false, compat: 'yaml-1.1' }))
    .join('---\n')
}
