// Attribute keys and values to suggest.

import { attributeKeys, attributeValues } from '../../reports/attributes.ts'
import type { ApiParts } from '../api.ts'
import { AttributeParams, AttributesQuery, AttributesReply, Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

export function attributeRoutes(app: TypedApp, { store }: ApiParts): void {
  app.get(
    '/api/v1/attributes',
    {
      schema: {
        summary: 'Attribute keys of spans, most frequent first',
        tags: ['traces'],
        querystring: AttributesQuery,
        response: { 200: AttributesReply, 400: Problem, 503: Problem },
      },
    },
    async ({ query }) => ({ items: await attributeKeys(store, suggesting(query)) }),
  )
  app.get(
    '/api/v1/attributes/:key/values',
    {
      schema: {
        summary: 'Values of one attribute, most frequent first',
        tags: ['traces'],
        params: AttributeParams,
        querystring: AttributesQuery,
        response: { 200: AttributesReply, 400: Problem, 503: Problem },
      },
    },
    async ({ params, query }) => ({ items: await attributeValues(store, params.key, suggesting(query)) }),
  )
}

function suggesting(query: { prefix: string; service?: string | undefined; limit: number }) {
  return { prefix: query.prefix, service: query.service ?? '', limit: query.limit }
}
