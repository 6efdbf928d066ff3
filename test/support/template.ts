// What costs seconds to make and is the same each time is made once and copied: an empty store, an empty registry. What it is
// made of names it, so a change of that makes another.

import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type TemplateOrder = {
  readonly name: string
  /** Files, and folders whose files, decide what comes out; relative to the repository. */
  readonly madeOf: readonly string[]
  /** Fills the folder, and has let go of it when it resolves. */
  readonly make: (folder: string) => Promise<void>
}

const ROOT = new URL('../../', import.meta.url)

/** @returns the folder of the template; made by the first who asks */
export function buildTemplate({ name, madeOf, make }: TemplateOrder): () => Promise<string> {
  let made: Promise<string> | undefined
  async function find(): Promise<string> {
    const template = join(tmpdir(), `surety-template-${name}-${fingerprint(madeOf)}`)
    if (existsSync(template)) return template
    const folder = mkdtempSync(join(tmpdir(), `surety-template-${name}-made-`))
    await make(folder)
    // Whole or not at all; another may be faster.
    try {
      renameSync(folder, template)
    } catch {
      rmSync(folder, { recursive: true, force: true })
    }
    return template
  }
  return () => (made ??= find())
}

function fingerprint(madeOf: readonly string[]): string {
  const hash = createHash('sha256')
  for (const path of madeOf) {
    const place = fileURLToPath(new URL(path, ROOT))
    const files = path.endsWith('/')
      ? readdirSync(place)
          .toSorted()
          .map((file) => join(place, file))
      : [place]
    for (const file of files) hash.update(readFileSync(file))
  }
  return hash.digest('hex').slice(0, 12)
}

/** Copies a template's folder, unless something is there already. */
export function copyTemplate(from: string, to: string): void {
  if (existsSync(to)) return
  mkdirSync(dirname(to), { recursive: true, mode: 0o750 })
  cpSync(from, to, { recursive: true, verbatimSymlinks: true })
}
