// The webhook doors as the configuration has them: which mappings there are, and who proves himself how.

import type { HookMappings } from '../steps/step-of-event.ts'
import { OWN_HOOKS, readHookMappings } from './hook-mappings.ts'
import type { HookRoutesOptions } from './hook-routes.ts'
import { mappedLock, ownLock, ownProofs, secretVariable, type HookSecretConfig } from './hook-secrets.ts'

export type HooksConfig = HookSecretConfig & { readonly SURETY_RELEASE_HOOKS?: string | undefined }

export type Hooks = Pick<HookRoutesOptions, 'own' | 'mapped'> & { readonly mappings: HookMappings }

/** @throws ConfigError naming the file that is wrong or cannot be read */
export function readHooks(config: HooksConfig): Hooks {
  const mapped = readHookMappings(config.SURETY_RELEASE_HOOKS)
  return {
    own: Object.fromEntries(
      OWN_HOOKS.map((hook) => [
        hook,
        { lock: ownLock(hook, config), proofs: ownProofs(hook), setBy: secretVariable(hook) },
      ]),
    ) as HookRoutesOptions['own'],
    mapped: mapped.map((hook) => ({
      mapping: hook.mapping,
      lock: mappedLock(hook),
      proofs: [hook.proof],
      setBy: `hooks.${hook.mapping.name}.secretFile of SURETY_RELEASE_HOOKS`,
    })),
    mappings: new Map(mapped.map(({ mapping }) => [mapping.name, mapping])),
  }
}
