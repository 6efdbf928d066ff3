// Derives what is derived from stored spans now, instead of waiting until minutes have settled.

import { buildDeriver } from '../../ingest/derived/deriver.ts'
import { buildLogger } from '../../ingest/runtime/logger.ts'
import type { Store } from '../../ingest/store/store.ts'

/** @param aheadMs  how far ahead of ours the deriver's clock is: minutes have to be over and quiet */
export async function derive(store: Pick<Store, 'ask'>, aheadMs = 300_000): Promise<void> {
  const deriver = buildDeriver({
    store,
    clock: { now: () => Date.now() + aheadMs },
    logger: buildLogger('silent'),
    beside: (work) => work(),
    requests1mDays: 90,
  })
  for (let found = 1; found > 0;) {
    const { service_edges_1m: edges, requests_1h: hours } = await deriver.tick()
    found = (edges ?? 0) + (hours ?? 0)
  }
}
