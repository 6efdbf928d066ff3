import { expect, test } from 'vitest'
import { SERVER_KINDS } from '../support/test-stores.ts'
test.each(SERVER_KINDS)('$name opens', async (kind) => {
  const place = await kind.make()
  const store = await place.open()
  expect(await store.rows('SELECT count() AS c FROM spans')).toEqual([{ c: '0' }])
  await store.close()
  await place.remove()
})
