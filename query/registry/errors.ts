// Why a change was not made, for what the caller treats differently.

import { idOf, type RegistryObject, type Wanted } from './object.ts'
import type { Applied } from './registry.ts'

/** Somebody changed it meanwhile: both versions, so that a person can decide. */
export class RevisionConflict extends Error {
  readonly wanted: Wanted
  readonly expected: number
  readonly current: RegistryObject | undefined

  constructor(wanted: Wanted, expected: number, current: RegistryObject | undefined) {
    const read = expected === 0 ? 'was not there when it was read' : `was read at revision ${expected}`
    const is = current === undefined ? 'it is gone' : `it is at revision ${current.revision} now`
    super(`The ${wanted.kind} «${wanted.name}» ${read}, and ${is}; read it again, then change it`)
    this.name = 'RevisionConflict'
    this.wanted = wanted
    this.expected = expected
    this.current = current
  }
}

/** What is wrong between objects. */
export type RuleFault = {
  /** `system/core-payment` */
  readonly object: string
  /** Where in the object; empty for the object as a whole. */
  readonly path: string
  readonly message: string
}

/** What must hold between objects would not hold any more. */
export class RulesBroken extends Error {
  readonly faults: readonly RuleFault[]

  constructor(faults: readonly RuleFault[]) {
    super(
      faults
        .map(({ object, path, message }) => `${object}${path === '' ? '' : ` ${path}`}: ${message}`)
        .join('; '),
    )
    this.name = 'RulesBroken'
    this.faults = faults
  }
}

/** What would be done is not what was agreed to. */
export class ConsentNeeded extends Error {
  readonly applied: Applied

  /** @param isPlanned  whether a plan was sent along */
  constructor(applied: Applied, isPlanned: boolean) {
    const gone = applied.changes.filter(({ action }) => action === 'delete').map(({ object }) => idOf(object))
    const shown = gone.slice(0, 10).join(', ') + (gone.length > 10 ? ` and ${gone.length - 10} more` : '')
    super(
      !isPlanned
        ? `This would delete ${shown}. Look at the dry run, then send its plan along`
        : 'What would change is not what the plan was made for; look at the dry run again',
    )
    this.name = 'ConsentNeeded'
    this.applied = applied
  }
}
