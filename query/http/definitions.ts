// Objects of the registry as the API tells them.

import type { RegistryObject } from '../registry/object.ts'
import type { Changed } from '../registry/registry.ts'
import { differences } from '../registry/json.ts'
import type { ChangeItem, Definition } from './registry-schemas.ts'

export function toDefinition(object: RegistryObject): Definition {
  const { kind, name, metadata, spec, revision, generation, bundle, owner, system, createdAt, changedAt } =
    object
  return {
    kind,
    name,
    metadata: metadata as Definition['metadata'],
    spec,
    revision,
    generation,
    bundle,
    owner: owner ?? null,
    system: system ?? null,
    createdAt: createdAt.toISOString(),
    changedAt: changedAt.toISOString(),
  }
}

/** Where an object changes; nothing for one that comes or goes. */
export function toChangeItem({
  action,
  object: { kind, name, metadata = {}, spec },
  before,
  after,
}: Changed): ChangeItem {
  const changed =
    action === 'update'
      ? differences(
          { metadata: before.metadata, spec: before.spec, bundle: before.bundle },
          { metadata, spec, bundle: after?.bundle ?? before.bundle },
        )
      : []
  return {
    action,
    kind,
    name,
    differences: changed.map((one) => ({
      path: one.path,
      before: one.before ?? null,
      after: one.after ?? null,
    })),
  }
}
