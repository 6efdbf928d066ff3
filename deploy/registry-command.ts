// `surety apply`, `export`, `validate`: definitions as files. What they mean is decided by the running Surety; here files are
// found, differences shown, consent asked for.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { stringify } from 'yaml'
import type { ApplyReply, ChangeItem, ExportReply } from '../query/http/registry-schemas.ts'
import { PARSERS, STRICT_PARSERS } from '../query/parsers.ts'
import { readBundle, type BundleFile, type DocumentProblem } from '../query/registry/bundle.ts'
import { buildApiClient, CommandError, Refused, type ApiClient } from './api-client.ts'

type Values = Readonly<Record<string, string | boolean | undefined>>

export const APPLY_HELP = `surety apply -f DIR|FILE [more …] [--bundle NAME] [--dry-run] [--prune [--yes]] [--reason TEXT]

Makes the registry hold what the files say (*.yaml, *.yml, *.json, a *.csv of release orders; folders with all below them): all of it
or, when anything is wrong, nothing. What changes is shown; --dry-run shows it and changes nothing. Objects belong to the bundle they
were last applied with («default»); --prune deletes those of the bundle that the files do not hold any more, after showing them and
asking, or with --yes. Asks the running Surety (SURETY_URL) with SURETY_TOKEN (scope write), or on its own machine as whoever
may read SURETY_DATA_DIR.`

export const EXPORT_HELP = `surety export [-o DIR] [--kinds system,team,…] [--bundle NAME]

Writes definitions as documents that «surety apply» takes: to the standard output, or one file each into an empty folder.
Passwords and tokens are never among them.`

export const VALIDATE_HELP = `surety validate -f DIR|FILE [more …] [--server | --strict]

Reads files as «surety apply» would and says what is wrong, each with file, line and path. Without --server nobody is asked, and
whether objects are there that the files name and do not hold is left open. --strict takes OpenSLO as its own SDK does, without what
official examples do against the specification. Ends with 1 when something is wrong.`

export async function applyCommand(values: Values, words: readonly string[]): Promise<number> {
  const files = findFiles(values, words)
  const client = buildApiClient(process.env)
  const isDry = values['dry-run'] === true
  const prune = values['prune'] === true
  const options = {
    bundle: String(values['bundle'] ?? 'default'),
    reason: String(values['reason'] ?? ''),
    prune: String(prune),
  }
  if (!isDry && !prune) {
    tell(await apply(client, files, options), false)
    return 0
  }
  const planned = await apply(client, files, { ...options, dryRun: 'true' })
  tell(planned, true)
  if (isDry || planned.changes.length === 0) return 0
  const gone = planned.changes.filter(({ action }) => action === 'delete').length
  if (gone > 0 && values['yes'] !== true && !(await consents(gone))) {
    console.log('Nothing was changed.')
    return 1
  }
  const { changes } = await apply(client, files, { ...options, plan: planned.plan })
  console.log(`Applied: ${counted(changes.length, 'change')}.`)
  return 0
}

export async function exportCommand(values: Values): Promise<number> {
  const wanted = Object.entries({ kinds: values['kinds'], bundle: values['bundle'] }).flatMap(
    ([key, value]) => (value === undefined ? [] : [[key, String(value)]]),
  )
  const query = new URLSearchParams(Object.fromEntries(wanted)).toString()
  const { documents } = await buildApiClient(process.env).get<ExportReply>(`/api/v1/registry/export?${query}`)
  const folder = values['output']
  if (folder === undefined) {
    process.stdout.write(documents.map((document) => stringify(document)).join('---\n'))
    return 0
  }
  const target = String(folder)
  if (existsSync(target) && readdirSync(target).length > 0)
    throw new CommandError(`${target} is not empty; name a new folder, so that nothing old is applied again`)
  for (const document of documents) {
    const { kind, metadata } = document as { kind: string; metadata: { name: string } }
    const inside = join(target, kind.toLowerCase())
    mkdirSync(inside, { recursive: true })
    writeFileSync(join(inside, `${metadata.name}.yaml`), stringify(document))
  }
  console.log(`${counted(documents.length, 'document')} in ${target}`)
  return 0
}

export async function validateCommand(values: Values, words: readonly string[]): Promise<number> {
  const files = findFiles(values, words)
  if (values['server'] === true) {
    try {
      const path = '/api/v1/registry/validate'
      const { objects } = await buildApiClient(process.env).post<{ objects: number }>(path, { files })
      console.log(`${counted(objects, 'object')} in ${counted(files.length, 'file')}: nothing is wrong.`)
      return 0
    } catch (error) {
      throw listed(error)
    }
  }
  const parsers = values['strict'] === true ? STRICT_PARSERS : PARSERS
  const { objects, problems } = readBundle(files, parsers, () => undefined)
  for (const problem of problems) console.error(problemLine(problem))
  const errors = problems.filter(({ severity }) => severity === 'error').length
  if (errors > 0) throw new CommandError(`${counted(errors, 'error')} in ${counted(files.length, 'file')}.`)
  console.log(`${counted(objects.length, 'object')} in ${counted(files.length, 'file')}: nothing is wrong.`)
  return 0
}

async function apply(
  client: ApiClient,
  files: readonly BundleFile[],
  options: Readonly<Record<string, string>>,
): Promise<ApplyReply> {
  try {
    return await client.post<ApplyReply>(
      `/api/v1/registry/apply?${new URLSearchParams(options).toString()}`,
      { files },
    )
  } catch (error) {
    throw listed(error)
  }
}

/** A refusal with many places, one a line. */
function listed(error: unknown): unknown {
  if (!(error instanceof Refused)) return error
  const { code, errors } = error.problem as { code?: string; errors?: { place: string; message: string }[] }
  if (errors === undefined || errors.length === 0) return error
  const lines = errors.map(({ place, message }) => `${place}: ${message}`)
  return new CommandError([...lines, `${code}: nothing was changed.`].join('\n'))
}

function tell({ changes, unchanged, warnings }: ApplyReply, isDry: boolean): void {
  for (const { file, line, path, message } of warnings) console.error(`${file}:${line} ${path}: ${message}`)
  for (const change of changes) for (const line of changeLines(change)) console.log(line)
  const what = isDry ? 'Dry run' : 'Applied'
  console.log(`${what}: ${counted(changes.length, 'change')}, ${unchanged} as before.`)
}

const TEXT_MAX = 200

function changeLines({ action, kind, name, differences }: ChangeItem): string[] {
  const shown = (value: unknown) => {
    const text = value === null ? '(none)' : JSON.stringify(value)
    return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text
  }
  return [
    `${action} ${kind} ${name}`,
    ...differences.map(({ path, before, after }) => `    ${path}: ${shown(before)} → ${shown(after)}`),
  ]
}

const problemLine = ({ severity, file, line, path, message, remedy }: DocumentProblem) =>
  `${file}:${line}${path === '' ? '' : ` ${path}`}: ${severity === 'warning' ? 'warning: ' : ''}${message}${remedy === undefined ? '' : `; ${remedy}`}`

const counted = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`

async function consents(gone: number): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw new CommandError(
      `This would delete ${counted(gone, 'object')}; add --yes to agree. Nothing was changed.`,
    )
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  const answer = await terminal.question(`Delete ${counted(gone, 'object')}? yes/no: `)
  terminal.close()
  return answer.trim().toLowerCase() === 'yes'
}

const FILES_MAX = 10_000

/** @throws CommandError naming the path that cannot be read */
function findFiles(values: Values, words: readonly string[]): BundleFile[] {
  const paths = [values['file'], ...words].flatMap((path) => (typeof path === 'string' ? [path] : []))
  if (paths.length === 0) throw new CommandError('Name a file or a folder: -f DIR')
  const found = paths.flatMap((path) => {
    if (!existsSync(path)) throw new CommandError(`There is no file or folder ${path}`)
    if (!statSync(path).isDirectory()) return [path]
    return readdirSync(path, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(?:ya?ml|json|csv)$/i.test(name))
      .toSorted()
      .map((name) => join(path, name))
  })
  if (found.length === 0)
    throw new CommandError(`${paths.join(', ')}: holds no *.yaml, *.yml, *.json or *.csv`)
  if (found.length > FILES_MAX)
    throw new CommandError(`${found.length} files; at most ${FILES_MAX} are applied at once`)
  return found.map((file) => ({ file, text: readFileSync(file, 'utf8') }))
}
