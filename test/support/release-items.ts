// Releases as the API tells them, for tests of what shows them.

import type { ReleaseItem } from '../../query/http/release-schemas.ts'

/** A release of `transfer` for everybody that serves, with what is said otherwise. */
export function releaseItem(change: Partial<ReleaseItem> = {}): ReleaseItem {
  return {
    id: 'r1',
    changeType: 'code',
    service: 'transfer',
    target: '',
    toldService: '',
    system: 'core-payment',
    environment: 'prod',
    versionFrom: '2.13.4',
    versionTo: '2.14.0',
    state: 'serving',
    isImplicit: false,
    startedAt: '2026-11-20T10:00:00Z',
    receivedAt: '2026-11-20T10:00:01Z',
    readyAt: '2026-11-20T10:00:30Z',
    readyFrom: 'traffic',
    endedAt: null,
    scope: { selectors: [], weightPercent: null },
    orderId: '',
    description: '',
    remarks: [],
    verdict: null,
    headline: null,
    ...change,
  }
}
