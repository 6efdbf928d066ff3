// Definitions from files and back: apply (with a dry run and a plan), validate, export.

import { may } from '../../people/principal.ts'
import { mayRead } from '../../people/read-scope.ts'
import { writeCheck } from '../../people/write-rules.ts'
import { documentOf, type DocumentProblem } from '../../registry/bundle.ts'
import { RulesBroken } from '../../registry/errors.ts'
import { idOf, KINDS, type Kind, type Wanted } from '../../registry/object.ts'
import type { Registry } from '../../registry/registry.ts'
import type { ApiParts } from '../api.ts'
import { authorOfRequest, principalOf } from '../authors.ts'
import { toChangeItem } from '../definitions.ts'
import { readDocumentsOfApi } from '../documents.ts'
import { InvalidRequest } from '../errors.ts'
import {
  ApplyQuery,
  ApplyReply,
  Conflict,
  DocumentsBody,
  ExportQuery,
  ExportReply,
  ValidateReply,
} from '../registry-schemas.ts'
import { Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

// Ten thousand SLOs of a kilobyte, three times over.
const BODY_BYTES_MAX = 33_554_432

export function bundleRoutes(app: TypedApp, parts: ApiParts): void {
  const { registry } = parts
  const tags = ['registry']

  app.post(
    '/api/v1/registry/apply',
    {
      bodyLimit: BODY_BYTES_MAX,
      config: { access: { door: 'api', scope: 'operate' } },
      schema: {
        summary: 'Make the registry hold what these files say, all or nothing of it',
        tags,
        querystring: ApplyQuery,
        body: DocumentsBody,
        response: { 200: ApplyReply, 400: Problem, 409: Conflict, 503: Problem },
      },
    },
    async (call) => {
      const { reason, bundle, prune, dryRun, plan } = call.query
      const { objects, problems } = await readDocumentsOfApi(parts, call.body.files)
      const check = writeCheck(principalOf(call))
      const author = authorOfRequest(call, reason)
      const applied = await registry.apply(objects, author, { bundle, prune, dryRun, plan, check })
      return {
        plan: applied.plan,
        changes: applied.changes.map(toChangeItem),
        unchanged: applied.unchanged,
        warnings: problems.map(toWarning),
      }
    },
  )

  app.post(
    '/api/v1/registry/validate',
    {
      bodyLimit: BODY_BYTES_MAX,
      config: { access: { door: 'api', scope: 'read' } },
      schema: {
        summary: 'Say what is wrong with these files; nothing is kept',
        tags,
        body: DocumentsBody,
        response: { 200: ValidateReply, 400: Problem, 409: Problem, 503: Problem },
      },
    },
    async (call) => {
      const { objects, problems } = await readDocumentsOfApi(parts, call.body.files)
      await checkNamed(registry, objects)
      return { objects: objects.length, warnings: problems.map(toWarning) }
    },
  )

  app.get(
    '/api/v1/registry/export',
    {
      schema: {
        summary: 'Definitions as documents that can be applied',
        tags,
        querystring: ExportQuery,
        response: { 200: ExportReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const principal = principalOf(call)
      const readable = KINDS.filter((kind) => kind !== 'user' || may(principal, 'administer'))
      const { kinds, bundle } = call.query
      const objects = await registry.all(kinds === undefined ? readable : kindsOf(kinds, readable))
      const found = objects.filter(
        (object) =>
          mayRead(principal.scope, object.system) && (bundle === undefined || object.bundle === bundle),
      )
      return { documents: found.map(documentOf) }
    },
  )
}

const toWarning = ({ file, line, path, message }: DocumentProblem) => ({ file, line, path, message })

/** @throws InvalidRequest naming the word that is none of them */
function kindsOf(text: string, readable: readonly Kind[]): Kind[] {
  const words = text.split(',').map((word) => word.trim())
  const wrong = words.find((word) => !(readable as readonly string[]).includes(word))
  if (wrong !== undefined)
    throw new InvalidRequest('kinds', `names «${wrong}»; you may read ${readable.join(', ')}`)
  return readable.filter((kind) => words.includes(kind))
}

/** What the files name and do not hold must be kept. @throws RulesBroken */
async function checkNamed(registry: Registry, objects: readonly Wanted[]): Promise<void> {
  const here = new Set(objects.map(idOf))
  const references = objects.flatMap((object) =>
    (object.references ?? []).map((to) => ({ from: idOf(object), to })),
  )
  const missing = new Map<string, boolean>()
  for (const { to } of references) {
    const id = idOf(to)
    if (!here.has(id) && !missing.has(id))
      missing.set(id, (await registry.get(to.kind, to.name)) === undefined)
  }
  const faults = references
    .filter(({ to }) => missing.get(idOf(to)) === true)
    .map(({ from, to }) => ({
      object: from,
      path: to.path,
      message: `there is no ${to.kind} «${to.name}», neither here nor kept`,
    }))
  if (faults.length > 0) throw new RulesBroken(faults)
}
