// A document that knows fewer members than its kind has (a Service of OpenSLO) leaves the others as they are.

import { RulesBroken } from './errors.ts'
import { checkObject, isOwnKind } from './kinds.ts'
import { idOf, type RegistryObject, type Wanted } from './object.ts'
import { pathText } from '../openslo/problem.ts'

/** @throws RulesBroken when both together are not what the kind may hold */
export function completed(wanted: Wanted, before: RegistryObject | undefined): Wanted {
  if (wanted.isPartial !== true || !isOwnKind(wanted.kind)) return wanted
  const metadata = { ...before?.metadata, ...wanted.metadata }
  const checked = checkObject(wanted.kind, wanted.name, metadata, { ...before?.spec, ...wanted.spec })
  if ('wanted' in checked) return checked.wanted
  const object = idOf(wanted)
  throw new RulesBroken(
    checked.faults.map(({ path, message }) => ({ object, path: pathText(path), message })),
  )
}
