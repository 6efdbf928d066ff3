// Secrets of the webhook doors, from the environment or from files, read once at start. They are compared and never shown.

import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { ConfigError } from '../../runtime/config.ts'
import { GITHUB_PROOF, GITLAB_PROOF, TOKEN_PROOF, type HookLock, type HookProof } from './signature.ts'
import { OWN_HOOKS, type MappedHook } from './hook-mappings.ts'

export type OwnHook = (typeof OWN_HOOKS)[number]

const secret = z.string().min(1).optional()
/** Per door a secret, or the file it stands in (one per line: the old and the new one while a sender changes over). */
export const HOOK_SECRET_VARIABLES = {
  SURETY_GITHUB_WEBHOOK_SECRET: secret,
  SURETY_GITHUB_WEBHOOK_SECRET_FILE: secret,
  SURETY_GITLAB_WEBHOOK_SECRET: secret,
  SURETY_GITLAB_WEBHOOK_SECRET_FILE: secret,
  SURETY_ARGO_CD_WEBHOOK_SECRET: secret,
  SURETY_ARGO_CD_WEBHOOK_SECRET_FILE: secret,
  SURETY_ARGO_ROLLOUTS_WEBHOOK_SECRET: secret,
  SURETY_ARGO_ROLLOUTS_WEBHOOK_SECRET_FILE: secret,
  SURETY_KUBERNETES_WEBHOOK_SECRET: secret,
  SURETY_KUBERNETES_WEBHOOK_SECRET_FILE: secret,
}
export type HookSecretConfig = {
  readonly [Name in keyof typeof HOOK_SECRET_VARIABLES]?: string | undefined
}

type SecretName = Extract<keyof HookSecretConfig, `${string}_SECRET`>

const VARIABLES: Readonly<
  Record<OwnHook, { readonly name: SecretName; readonly proofs: readonly HookProof[] }>
> = {
  github: { name: 'SURETY_GITHUB_WEBHOOK_SECRET', proofs: [GITHUB_PROOF] },
  gitlab: { name: 'SURETY_GITLAB_WEBHOOK_SECRET', proofs: [GITLAB_PROOF] },
  // Their templates can send any header; an HMAC is what a forwarder in between can make.
  'argo-cd': { name: 'SURETY_ARGO_CD_WEBHOOK_SECRET', proofs: [TOKEN_PROOF, GITHUB_PROOF] },
  'argo-rollouts': { name: 'SURETY_ARGO_ROLLOUTS_WEBHOOK_SECRET', proofs: [TOKEN_PROOF, GITHUB_PROOF] },
  kubernetes: { name: 'SURETY_KUBERNETES_WEBHOOK_SECRET', proofs: [TOKEN_PROOF, GITHUB_PROOF] },
}

/** What is wrong between variables that are right each for itself. */
export function hookSecretProblems(config: HookSecretConfig): string[] {
  return OWN_HOOKS.flatMap((hook) => {
    const { name } = VARIABLES[hook]
    return config[name] !== undefined && config[`${name}_FILE`] !== undefined
      ? [`${name} and ${name}_FILE: give only one of them`]
      : []
  })
}

/** @returns undefined where no secret is set: the door then asks for a bearer token @throws ConfigError */
export function ownLock(hook: OwnHook, config: HookSecretConfig): HookLock | undefined {
  const { name, proofs } = VARIABLES[hook]
  const given = config[name]
  if (given !== undefined) return { proofs, secrets: [given] }
  const file = config[`${name}_FILE`]
  return file === undefined ? undefined : { proofs, secrets: readSecrets(`${name}_FILE=${file}`, file) }
}

/** What an own door would be proved by, were there a secret. */
export const ownProofs = (hook: OwnHook) => VARIABLES[hook].proofs
/** The variable that sets an own door's secret. */
export const secretVariable = (hook: OwnHook) => VARIABLES[hook].name

/** @throws ConfigError naming the hook and its file */
export function mappedLock({ mapping, proof, secretFile }: MappedHook): HookLock | undefined {
  if (secretFile === undefined) return undefined
  const at = `SURETY_RELEASE_HOOKS: hooks.${mapping.name}.secretFile=${secretFile}`
  return { proofs: [proof], secrets: readSecrets(at, secretFile) }
}

function readSecrets(at: string, file: string): string[] {
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError([`${at}: cannot be read (${(error as Error).message})`])
  }
  const secrets = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '')
  if (secrets.length === 0) throw new ConfigError([`${at}: holds no secret; write it there, one per line`])
  return secrets
}
