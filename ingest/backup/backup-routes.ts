// Backups of the running store over HTTP: begun, then asked about until whole. Where they go is ours to say, so that a
// request cannot make this process write anywhere else.

import type { FastifyInstance, FastifyReply } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { problem, PROBLEM_JSON } from '../runtime/http-app.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Store } from '../store/store.ts'
import { SERVER_BACKUP, takeBackup, type TakeBackupParts } from './backup.ts'

export type BackupRoutesOptions = TakeBackupParts & {
  readonly place: Store['place']
  readonly logger: Logger
}

const Backup = z.object({
  name: z.string(),
  state: z.enum(['running', 'done', 'failed']),
  folder: z.string().describe('on the machine of this process; empty until it is done'),
  error: z.string(),
})
type Backup = z.infer<typeof Backup>
const Refusal = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
})
const REMEMBERED_MAX = 100

export async function backupRoutes(app: FastifyInstance, options: BackupRoutesOptions): Promise<void> {
  const { logger, clock } = options
  const backups = new Map<string, Backup>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  const typed = app.withTypeProvider<ZodTypeProvider>()
  const tags = ['operating']

  function keep(backup: Backup): Backup {
    backups.set(backup.name, backup)
    for (const name of backups.keys()) {
      if (backups.size <= REMEMBERED_MAX) break
      backups.delete(name)
    }
    return backup
  }

  async function run(name: string): Promise<void> {
    const startedAt = clock.now()
    try {
      const { folder } = await takeBackup(options, name)
      keep({ name, state: 'done', folder, error: '' })
      logger.info({ folder, durationMs: clock.now() - startedAt }, 'a backup was taken')
    } catch (error) {
      keep({
        name,
        state: 'failed',
        folder: '',
        error: error instanceof Error ? error.message : String(error),
      })
      logger.error({ err: error }, 'a backup failed')
    }
  }

  typed.post(
    '/api/v1/backups',
    {
      config: { access: { door: 'backups', scope: 'operate' } },
      schema: {
        summary: 'Begin a backup of the embedded store',
        description: 'Into the data directory’s folder «backups»; ask for its state until it is done.',
        tags,
        response: { 202: Backup, 409: Refusal },
      },
    },
    (_, reply) => {
      if (options.place.kind !== 'embedded') return refuse(reply, 409, 'Conflict', SERVER_BACKUP)
      const running = [...backups.values()].find(({ state }) => state === 'running')
      if (running !== undefined) {
        return refuse(reply, 409, 'Conflict', `The backup ${running.name} is still running; wait for it.`)
      }
      const name = `surety-${new Date(clock.now()).toISOString().replaceAll(/[-:.]/g, '')}`
      const backup = keep({ name, state: 'running', folder: '', error: '' })
      void run(name)
      void reply.code(202)
      return backup
    },
  )

  typed.get(
    '/api/v1/backups/:name',
    {
      schema: {
        summary: 'How a backup is doing',
        tags,
        params: z.object({ name: z.string().max(100) }),
        response: { 200: Backup, 404: Refusal },
      },
    },
    ({ params: { name } }, reply) =>
      backups.get(name) ?? refuse(reply, 404, 'Not found', `This process took no backup ${name}.`),
  )
}

function refuse(reply: FastifyReply, status: 404 | 409, title: string, detail: string): never {
  const code = status === 404 ? 'SURETY_NOT_FOUND' : 'SURETY_BACKUP'
  return reply
    .code(status)
    .type(PROBLEM_JSON)
    .send(problem(status, code, title, detail)) as never
}
