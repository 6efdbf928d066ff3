// `surety validate`: reads OpenSLO documents as they would be applied, and says everything that is wrong with them. Opens no
// store and needs no server, so a pipeline can run it on a proposed change.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError } from './api-client.ts'
import { problemAt } from '../query/openslo/documents.ts'
import type { OpenSloProblem } from '../query/openslo/problem.ts'
import { readOpenSlo, type ReadBundle } from '../query/openslo/read.ts'
import type { SliSpecV1 } from '../query/openslo/schema-v1.ts'
import { modelOf } from '../query/openslo/model.ts'

export const VALIDATE_HELP = `surety validate PATH… [--strict] [--json]

Reads OpenSLO documents (openslo/v1; YAML of one or several documents, lists, JSON) from files and, with all below them,
from folders, as one bundle: names are there once, references lead somewhere, and each SLO can be executed by Surety.
Every problem is named with file, line, place and remedy. With --strict also what official examples do although the
specification forbids it. Changes nothing. Ends with 0, or 1 when there is an error.`

export const VALIDATE_OPTIONS = { strict: { type: 'boolean' }, json: { type: 'boolean' } } as const

const ENDINGS = /\.(?:ya?ml|json)$/
const FILES_MAX = 10_000

export function validateCommand(
  values: Readonly<Record<string, string | boolean | undefined>>,
  words: readonly string[],
): Promise<number> {
  if (words.length === 0) throw new CommandError('say which files or folders: surety validate deploy/slos')
  const files = words.flatMap(filesIn).map((file) => ({ file, text: readFileSync(file, 'utf8') }))
  if (files.length === 0)
    throw new CommandError(`${words.join(', ')}: no file that ends with .yaml, .yml or .json`)
  const read = readOpenSlo(files, { isStrict: values['strict'] === true })
  const problems = [...read.problems, ...problemsOfModels(read)]
  const errors = problems.filter(({ severity }) => severity === 'error').length
  if (values['json'] === true) console.log(JSON.stringify({ objects: read.objects.length, problems }))
  else {
    for (const problem of problems) console.log(line(problem))
    console.log(
      errors === 0
        ? `${read.objects.length} objects in ${files.length} files can be applied`
        : `${errors} errors in ${files.length} files; nothing of them would be applied`,
    )
  }
  return Promise.resolve(errors === 0 ? 0 : 1)
}

function filesIn(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new CommandError(`${path}: there is no such file or folder`)
  if (found.isFile()) return [path]
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => ENDINGS.test(name))
  if (names.length > FILES_MAX)
    throw new CommandError(`${path}: more than ${FILES_MAX} files; name the folder of the SLOs`)
  return names.toSorted().map((name) => join(path, name))
}

/** What keeps SLOs that are good OpenSLO from being executed. */
function problemsOfModels(read: ReadBundle): OpenSloProblem[] {
  const { objects } = read
  const slis = new Map<string, SliSpecV1>(
    objects.flatMap((object) =>
      object.kind === 'SLI' ? [[object.metadata.name, object.spec] as const] : [],
    ),
  )
  return objects.flatMap((object) => {
    if (object.kind !== 'SLO') return []
    const result = modelOf(object, (name) => {
      const spec = slis.get(name)
      return spec === undefined ? undefined : { name, spec }
    })
    if ('model' in result) return []
    const source = read.sources.get(object)
    return result.problems.flatMap(({ code, path, message }) =>
      source === undefined ? [] : [problemAt(source, 'error', code, path, message)],
    )
  })
}

function line({ severity, file, line: number, path, message }: OpenSloProblem): string {
  return `${file}:${number}: ${severity}: ${path === '' ? message : `${path} ${message}`}`
}
