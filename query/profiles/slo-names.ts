// Which SLOs are about a system or a service.

import type { Registry } from '../registry/registry.ts'
import type { RegistryObject } from '../registry/object.ts'
import type { SloName } from '../http/profile-schemas.ts'

const PAGE = 1000

/**
 * @param system   undefined: those of no system
 * @param service  by its name in the registry; undefined: of all
 */
export async function sloNames(
  registry: Pick<Registry, 'list'>,
  system: string | undefined,
  service?: string,
): Promise<SloName[]> {
  const found: RegistryObject[] = []
  for (let page: RegistryObject[] = []; found.length === 0 || page.length === PAGE;) {
    const after = page.at(-1)?.name
    page = await registry.list('slo', {
      ...(system === undefined ? { within: [] } : { system }),
      after,
      limit: PAGE,
    })
    found.push(...page)
    if (page.length === 0) break
  }
  return found
    .map(({ name, metadata, spec }) => ({
      name,
      displayName: metadata.displayName ?? null,
      service: typeof spec['service'] === 'string' ? spec['service'] : null,
    }))
    .filter((slo) => service === undefined || slo.service === service)
}
