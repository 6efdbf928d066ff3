// The release events of past rollouts, as the bank tells them (../release-events.ts), through the parser of the door.

import { createHash } from 'node:crypto'
import type { ReleaseEventRecord } from '../../../ingest/records/release-event.ts'
import { parseReleaseEvent, STRUCTURED_TYPE } from '../../../ingest/releases/parse-release-event.ts'
import { buildReleaseEvent } from '../release-events.ts'
import type { Change } from './timeline.ts'

/**
 * @returns a record per change; the same change has the same id, so that it is kept once
 * @throws Error when the door's parser refuses one
 */
export function releaseRecords(changes: readonly Change[], receivedAt: number): ReleaseEventRecord[] {
  return changes.flatMap((change) => {
    const name = `${change.service}|${change.version}|${change.atMs}`
    const id = `history-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
    const event = buildReleaseEvent({ ...change, at: change.atMs, id })
    const parsed = parseReleaseEvent({
      headers: { 'content-type': STRUCTURED_TYPE },
      body: Buffer.from(JSON.stringify(event)),
      receivedAt,
    })
    if (parsed.kind === 'record') return parsed.records
    throw new Error(`a release event of the history is refused: ${JSON.stringify(parsed.problems)}`)
  })
}
