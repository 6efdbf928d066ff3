// Which resources were stored lately, so that most batches need no statement for them. A living resource is written
// again once a day, so that it never expires.

import type { Clock } from '../runtime/clock.ts'
import { NO_MASKING, type Masking } from '../store/masking.ts'
import type { Prepared } from './prepared.ts'

const REMEMBERED_MAX = 20_000
const KEY_LENGTH_MAX = 4096
const REPEAT_MS = 86_400_000

// In the bytes as latin1: a run of digits, an integer (tag 24) of five bytes and more, a double (tag 33, «!»).
const NUMBER_BYTES = new RegExp(`[0-9][0-9 -]{9}[0-9]|${String.fromCharCode(24)}[\\x80-\\xff]{4}|!`)

export interface ResourceMemory {
  /** Whether some resource may hold what is to be masked; known ones are not looked through again. */
  mayHoldNumbers(part: readonly Prepared[]): boolean
  unseen(part: readonly Prepared[]): readonly string[]
  remember(keys: readonly string[]): void
}

export function buildResourceMemory(clock: Clock, masking: Masking = NO_MASKING): ResourceMemory {
  const seen = new Map<string, number>()
  const suspects = new Map<string, boolean>()

  function isSuspect(resource: string): boolean {
    const known = suspects.get(resource)
    if (known !== undefined) return known
    const found =
      NUMBER_BYTES.test(resource) ||
      masking.patterns.length > 0 ||
      masking.keys.some((key) => resource.includes(key))
    if (suspects.size >= REMEMBERED_MAX) suspects.clear()
    if (resource.length <= KEY_LENGTH_MAX) suspects.set(resource, found)
    return found
  }

  return {
    mayHoldNumbers: (part) => part.some(({ resources }) => resources.some(isSuspect)),
    unseen(part) {
      const staleBefore = clock.now() - REPEAT_MS
      const unseen = new Set<string>()
      for (const { resources } of part) {
        for (const key of resources) if ((seen.get(key) ?? 0) < staleBefore) unseen.add(key)
      }
      return [...unseen]
    },
    remember(keys) {
      for (const key of keys) {
        if (key.length > KEY_LENGTH_MAX) continue
        seen.delete(key)
        seen.set(key, clock.now())
      }
      for (const key of seen.keys()) {
        if (seen.size <= REMEMBERED_MAX) break
        seen.delete(key)
      }
    },
  }
}
