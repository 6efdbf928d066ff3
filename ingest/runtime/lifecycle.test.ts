import { expect, test } from 'vitest'
import { buildLifecycle } from './lifecycle.ts'
import { buildLogger } from './logger.ts'

const logger = buildLogger('silent')

test('parts close in reverse order, once', async () => {
  const closed: string[] = []
  const lifecycle = buildLifecycle(logger)
  for (const name of ['store', 'writer', 'door']) lifecycle.add(name, () => void closed.push(name))
  await Promise.all([lifecycle.stop(), lifecycle.stop()])
  expect(closed).toEqual(['door', 'writer', 'store'])
})

test('a part that fails or hangs does not keep the others open', async () => {
  const closed: string[] = []
  const lifecycle = buildLifecycle(logger, 100)
  lifecycle.add('first', () => void closed.push('first'))
  lifecycle.add('hangs', () => new Promise(() => {}))
  lifecycle.add('fails', () => Promise.reject(new Error('no')))
  await lifecycle.stop()
  expect(closed).toEqual(['first'])
})
