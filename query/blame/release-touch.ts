// How a release is found in what traces carry: by its version in their path, by the version of a client application, by the
// scope that cells are inside of. Pure.

import type { Release } from '../releases/release.ts'
import type { ReleaseScope } from '../../ingest/records/release-step.ts'
import type { Cell } from './case.ts'
import { serviceNeedle, versionNeedle } from './trace-path.ts'

/** No path has this: a candidate that is no service, or has no version. */
const NOWHERE = '\u0000'
/** Every path has this: what may concern everybody. */
const EVERYWHERE = '\u001E'

/** Whether traffic tells its version apart from the one before. */
export function isVisible({ versionTo, versionFrom, readyFrom, changeType, service }: Release): boolean {
  const hasVersion = versionTo !== '' && versionTo !== versionFrom && readyFrom === 'traffic'
  return hasVersion && (changeType === 'client' || service !== '')
}

export const isClient = (release: Release) => release.changeType === 'client' && isVisible(release)

/** Texts to look for in a path: met the new version, met the service at all. */
export function needles(release: Release): { readonly newIn: string; readonly oldIn: string } {
  if (isClient(release)) return { newIn: NOWHERE, oldIn: NOWHERE }
  const { service, versionTo } = release
  return {
    newIn: isVisible(release) ? versionNeedle(service, versionTo) : NOWHERE,
    oldIn: service === '' ? EVERYWHERE : serviceNeedle(service),
  }
}

const CELL_ATTRIBUTES: Readonly<Record<string, keyof Cell>> = {
  site: 'site',
  region: 'region',
  branch: 'branch',
  teller: 'teller',
  channel: 'channel',
  'bank.site': 'site',
  'bank.region': 'region',
  'bank.branch': 'branch',
  'bank.teller': 'teller',
  'bank.channel': 'channel',
}

/** The part of a cell that a selector is about; undefined: nothing that a cell has. */
const cellPart = (attribute: string) => CELL_ATTRIBUTES[attribute.toLowerCase()]

export const needsTellers = ({ selectors }: ReleaseScope) =>
  selectors.some(({ attribute }) => cellPart(attribute) === 'teller')

/** Whether cells can tell who is inside a scope. */
export const isKnownByCell = ({ selectors }: ReleaseScope) =>
  selectors.length > 0 && selectors.every(({ attribute }) => cellPart(attribute) !== undefined)

export function isInScope(cell: Cell, { selectors }: ReleaseScope): boolean {
  return selectors.every(({ attribute, match, values }) => {
    const part = cellPart(attribute)
    if (part === undefined) return true
    const text = cell[part]
    return values.some((value) => {
      if (match === 'exact') return text === value
      if (match === 'prefix') return text.startsWith(value)
      return matches(value, text)
    })
  })
}

/** A pattern that is none matches nothing. */
function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test(text)
  } catch {
    return false
  }
}
