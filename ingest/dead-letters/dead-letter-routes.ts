// Dead letters over HTTP: listed, shown, taken out as bytes, replayed. The bytes are what was sent, unmasked.

import type { FastifyInstance, FastifyReply } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { problem, PROBLEM_JSON } from '../runtime/http-app.ts'
import type { KeptLetters } from './kept-letters.ts'
import type { Replayed } from './replay.ts'

export type DeadLetterRoutesOptions = {
  readonly letters: KeptLetters
  readonly replay: (id: string, again: boolean) => Promise<Replayed>
}

export const LIST_LIMIT_MAX = 1000

const Letter = z.object({
  id: z.string().describe('name of the letter, 16 hexadecimal digits'),
  at: z.string().describe('when it was set aside, RFC 3339'),
  origin: z.string().describe('the door, or kafka topic/partition@offset'),
  reason: z.string(),
  detail: z.string().describe('what was wrong, in words'),
  format: z.string(),
  bytes: z.number().int(),
  isKept: z.boolean().describe('whether the bytes are kept'),
  replay: z
    .object({ at: z.string(), result: z.string(), detail: z.string() })
    .nullable()
    .describe('the newest attempt: begun, stored, partial or failed; null when there was none'),
})
const ListReply = z.object({ items: z.array(Letter) })
const ListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(LIST_LIMIT_MAX).default(50),
  reason: z.string().max(64).default(''),
  since: z.iso.datetime({ offset: true, error: 'must be RFC 3339 with a zone' }).optional(),
})
const Params = z.object({
  id: z.string().regex(/^[0-9a-f]{16}$/, 'must be 16 hexadecimal digits, as the list shows them'),
})
const ReplayQuery = z.object({
  again: z.enum(['0', '1']).default('0').describe('1 stores it again although it was stored before'),
})
const ReplayReply = z.object({
  id: z.string(),
  result: z.enum(['stored', 'partial', 'failed', 'known']),
  rows: z.number().int().describe('spans stored by this replay'),
  detail: z.string(),
})
const Refusal = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
})

export async function deadLetterRoutes(
  app: FastifyInstance,
  options: DeadLetterRoutesOptions,
): Promise<void> {
  const { letters, replay } = options
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const tags = ['dead letters']

  typed.get(
    '/api/v1/dead-letters',
    {
      schema: {
        summary: 'Messages set aside, newest first',
        tags,
        querystring: ListQuery,
        response: { 200: ListReply },
      },
    },
    async ({ query: { limit, reason, since } }) => {
      const sinceMs = since === undefined ? 0 : Date.parse(since)
      return { items: await letters.list({ limit, reason, sinceMs }) }
    },
  )

  typed.get(
    '/api/v1/dead-letters/:id',
    { schema: { summary: 'One dead letter', tags, params: Params, response: { 200: Letter, 404: Refusal } } },
    async ({ params: { id } }, reply) => (await letters.find(id))?.letter ?? absent(reply, id),
  )

  typed.get(
    '/api/v1/dead-letters/:id/payload',
    {
      // Unmasked, whatever it was.
      config: { access: { door: 'dead-letters', scope: 'operate' } },
      schema: { summary: 'The bytes of a dead letter as they came', tags, params: Params },
    },
    async ({ params: { id } }, reply) => {
      const found = await letters.find(id)
      if (found === undefined) return absent(reply, id)
      return reply
        .type('application/octet-stream')
        .header('content-disposition', `attachment; filename="dead-letter-${id}.bin"`)
        .header('x-content-type-options', 'nosniff')
        .send(found.payload)
    },
  )

  typed.post(
    '/api/v1/dead-letters/:id/replay',
    {
      config: { access: { door: 'dead-letters', scope: 'operate' } },
      schema: {
        summary: 'Send a dead letter through ingest again',
        description:
          'Answers when what it holds is stored, or with why they are not. The letter stays and is marked.',
        tags,
        params: Params,
        querystring: ReplayQuery,
        response: { 200: ReplayReply, 404: Refusal },
      },
    },
    async ({ params: { id }, query: { again } }, reply) => {
      const { result, rows, detail } = await replay(id, again === '1')
      if (result === 'absent') return absent(reply, id)
      return { id, result, rows, detail }
    },
  )
}

function absent(reply: FastifyReply, id: string): never {
  const detail = `There is no dead letter ${id}; letters are kept for SURETY_RETENTION_DEAD_LETTERS_DAYS.`
  return reply
    .code(404)
    .type(PROBLEM_JSON)
    .send(problem(404, 'SURETY_NOT_FOUND', 'Not found', detail)) as never
}
