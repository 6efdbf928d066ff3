// Which resources were stored lately, so that most batches need no statement for them. A living resource is written
// again once a day, so that it never expires.

import type { Clock } from '../runtime/clock.ts'
import type { Prepared } from './prepared.ts'

const REMEMBERED_MAX = 20_000
const KEY_LENGTH_MAX = 4096
const REPEAT_MS = 86_400_000

export interface ResourceMemory {
  unseen(part: readonly Prepared[]): readonly string[]
  remember(keys: readonly string[]): void
}

export function buildResourceMemory(clock: Clock): ResourceMemory {
  const seen = new Map<string, number>()
  return {
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
