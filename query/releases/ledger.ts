// The release ledger: what tools told and what traffic showed, put together.

import { createHash } from 'node:crypto'
import type { Store } from '../../ingest/store/store.ts'
import type { Registry } from '../registry/registry.ts'
import { releaseEvents } from '../reports/release-events.ts'
import type { TimeRange } from '../time-range.ts'
import type { Release } from './release.ts'

export type LedgerParts = {
  readonly store: Pick<Store, 'ask'>
  readonly registry: Pick<Registry, 'all' | 'changeNumber'>
}

const EVENTS_MAX = 5000

/**
 * Releases that were under way in a range, oldest first.
 * @throws StoreError
 */
export async function loadReleases(
  { store }: LedgerParts,
  { fromMs, toMs }: TimeRange & { readonly nowMs: number },
): Promise<readonly Release[]> {
  const events = await releaseEvents(store as Store, { fromMs, toMs }, '', EVENTS_MAX)
  return events
    .filter(({ service }) => service !== '')
    .map((event): Release => {
      const atMs = Date.parse(event.at)
      const scope = { selectors: [], weightPercent: undefined }
      return {
        id: createHash('sha256')
          .update(JSON.stringify([event.source, event.id]))
          .digest('hex')
          .slice(0, 16),
        changeType: 'code',
        service: event.service,
        target: '',
        toldService: '',
        system: '',
        environment: event.environment,
        versionFrom: '',
        versionTo: event.version,
        state: 'in_progress',
        isImplicit: false,
        startedAtMs: atMs,
        receivedAtMs: Date.parse(event.receivedAt),
        readyAtMs: undefined,
        readyFrom: 'traffic',
        endedAtMs: undefined,
        scope,
        stages: [{ kind: 'started', atMs, scope, source: event.source, eventId: event.id }],
        orderId: '',
        vcsRevision: '',
        artifact: '',
        configHash: '',
        pipeline: '',
        actor: '',
        ticket: '',
        description: event.description,
        isReversible: true,
        parameterChanges: [],
        remarks: [],
      }
    })
    .toReversed()
}
