// InsertTransport for a server: the statement goes in the URL, the bytes are the body of the request, and the server reads
// them by input(). Each statement of a job is a request of its own over the same bytes: the first, for resources, is needed
// about once a day for each resource, so that what is sent twice is next to nothing.

import { readFileSync } from 'node:fs'
import { INSERT_SETTINGS } from './insert-settings.ts'
import { literal } from './literal.ts'
import type { ServerConnections } from './server-connections.ts'
import type { InsertTransport, ProtobufSchema } from './transport.ts'

/** @param newer  settings that the server knows beyond those of the oldest one supported */
export function buildStreamTransport(
  connections: Pick<ServerConnections, 'insert'>,
  newer: Readonly<Record<string, string>>,
): InsertTransport {
  const source = (structure: string) => `input(${literal(structure)})`
  return {
    async insert(job) {
      for (const { sql, token } of job.statements) {
        const settings = [
          INSERT_SETTINGS,
          // A profile may have switched it off.
          'insert_deduplicate=1',
          `insert_deduplication_token=${literal(token)}`,
          schema(job.schema),
        ]
        const statement = `${sql(source)}\nSETTINGS ${settings.filter(Boolean).join(', ')}\nFORMAT ${job.format}`
        await connections.insert(statement, job.body, newer)
      }
    },
    close: () => Promise.resolve(),
  }
}

const texts = new Map<string, string>()

// As text: the server has no file of ours. It keeps the compiled schema by its text.
function schema(given: ProtobufSchema | undefined): string {
  if (given === undefined) return ''
  const text = texts.get(given.path) ?? schemaText(given.path)
  texts.set(given.path, text)
  return `format_schema_source='string', format_schema=${literal(text)}, format_schema_message_name=${literal(given.message)}`
}

/** Without comments, because it travels in the URL. */
function schemaText(path: string): string {
  return readFileSync(path, 'utf8')
    .replaceAll(/^\s*\/\/.*$/gm, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
