// Where a page of a list begins.

import type { z } from 'zod'
import type { Cursors } from '../registry/cursors.ts'
import { InvalidRequest } from './errors.ts'

/**
 * @param listing  what is listed and by which filters
 * @returns undefined for the first page @throws InvalidRequest
 */
export function readCursor<Place>(
  cursors: Cursors,
  listing: unknown,
  cursor: string | undefined,
  shape: z.ZodType<Place>,
): Place | undefined {
  if (cursor === undefined) return undefined
  const key = cursors.read(listing, cursor)
  if (key === undefined)
    throw new InvalidRequest('cursor', 'is none of this list with these filters; begin without one')
  return shape.parse(JSON.parse(key))
}
