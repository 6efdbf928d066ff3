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
    const derived = await deriver.tick()
    found = Object.values(derived).reduce((sum, buckets) => sum + buckets, 0)
  }
}
