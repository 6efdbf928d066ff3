// Who did what, when, from where and why.

import { iso } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { InvalidRequest, rangeOf } from '../errors.ts'
import { AuditQuery, AuditReply } from '../registry-schemas.ts'
import { Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

export function auditRoutes(app: TypedApp, { registry, cursors, clock }: ApiParts): void {
  app.get(
    '/api/v1/audit',
    {
      schema: {
        summary: 'Every change to definitions and people, newest first',
        tags: ['audit'],
        querystring: AuditQuery,
        response: { 200: AuditReply, 400: Problem, 503: Problem },
      },
    },
    async ({ query: { from, to, limit, cursor, ...filter } }) => {
      const range = rangeOf({ from, to }, clock)
      const listing = { audit: { from, to, ...filter } }
      const key = cursor === undefined ? undefined : cursors.read(listing, cursor)
      if (cursor !== undefined && key === undefined)
        throw new InvalidRequest('cursor', 'is none of this list with these filters; begin without one')
      const rows = await registry.audit({
        ...filter,
        from: new Date(range.fromMs),
        to: new Date(range.toMs),
        before: key === undefined ? undefined : Number(key),
        limit: limit + 1,
      })
      const items = rows.slice(0, limit)
      const last = items.at(-1)
      return {
        items: items.map((row) => ({ ...row, at: iso(row.at.getTime()) })),
        next: rows.length > limit && last !== undefined ? cursors.make(listing, String(last.id)) : null,
      }
    },
  )
}
