// Who asks: a user in a session or by a token, a program with a token of the file, whoever has the data directory, a visitor.

import type { Role } from '../registry/kinds/people.ts'
import type { Author } from '../registry/object.ts'
import { ROLE_PERMISSIONS, type Permission, type TokenScope } from './permissions.ts'
import { EVERYTHING, type ReadScope } from './read-scope.ts'

export type Principal = {
  readonly kind: 'user' | 'file-token' | 'local' | 'visitor'
  /** Name of the user or of the token; `local`, `visitor`. */
  readonly name: string
  readonly displayName: string
  /** By what, for the audit: `session`, `token ci`, `local token`. */
  readonly via: string
  readonly role: Role
  readonly teams: readonly string[]
  readonly scope: ReadScope
  /** What its token is limited to; undefined: all that its role may. */
  readonly tokenScopes: readonly TokenScope[] | undefined
  /** In a session. */
  readonly session?: { readonly id: string; readonly endsAt: Date }
  /** Came with a password that was told once; it has to be replaced before anything else. */
  readonly mustChange: boolean
}

const TOKEN_FREE: readonly Permission[] = ['probe', 'who']

/** @returns whether the caller's role and token let him; scope and teams are judged where they matter */
export function may(principal: Principal, permission: Permission): boolean {
  if (permission === 'open') return true
  if (!ROLE_PERMISSIONS[principal.role].includes(permission)) return false
  // About himself: who has one, or whoever administers for others.
  if (permission === 'self') return principal.session !== undefined || principal.kind === 'local'
  const { tokenScopes } = principal
  if (tokenScopes === undefined || TOKEN_FREE.includes(permission)) return true
  return tokenScopes.includes(permission === 'read-all' ? 'read' : (permission as TokenScope))
}

export const VISITOR: Principal = {
  kind: 'visitor',
  name: 'visitor',
  displayName: '',
  via: 'none',
  role: 'viewer',
  teams: [],
  scope: EVERYTHING,
  tokenScopes: ['read'],
  mustChange: false,
}

/** Who can read the data directory could change everything in it by other means. */
export const LOCAL: Principal = {
  ...VISITOR,
  kind: 'local',
  name: 'local',
  via: 'local token',
  role: 'admin',
  tokenScopes: undefined,
}

/** @param scope  the one that was asked for and found */
export const ofFileToken = (name: string, scope: 'read' | 'operate'): Principal => ({
  ...VISITOR,
  kind: 'file-token',
  name,
  via: 'token of the file',
  role: scope === 'operate' ? 'operator' : 'viewer',
  tokenScopes: scope === 'operate' ? ['read', 'audit', 'operate'] : ['read'],
})

export const authorOf = (
  principal: Principal,
  origin: string,
  reason: string,
  request: string = crypto.randomUUID(),
): Author => ({
  actor: principal.kind === 'user' ? principal.name : `${principal.kind}:${principal.name}`,
  via: principal.via,
  origin,
  reason,
  request,
})
