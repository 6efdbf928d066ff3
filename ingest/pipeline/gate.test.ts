import { expect, test } from 'vitest'
import { buildGate } from './gate.ts'

function step() {
  let release = () => {}
  const done = new Promise<void>((resolve) => (release = resolve))
  return { done, release: () => release() }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5))

test('sharers run side by side; one alone waits for them and keeps later ones out', async () => {
  const gate = buildGate()
  const order: string[] = []
  const [a, b, whole] = [step(), step(), step()]
  const work = (name: string, until: Promise<void>) => async () => {
    order.push(`${name} begins`)
    await until
    order.push(`${name} ends`)
  }
  const all = [
    gate.shared(work('a', a.done)),
    gate.shared(work('b', b.done)),
    gate.alone(work('whole', whole.done)),
    gate.shared(work('late', Promise.resolve())),
  ]
  await settle()
  expect(order).toEqual(['a begins', 'b begins'])
  a.release()
  b.release()
  await settle()
  expect(order.slice(2)).toEqual(['a ends', 'b ends', 'whole begins'])
  whole.release()
  await Promise.all(all)
  expect(order.slice(5)).toEqual(['whole ends', 'late begins', 'late ends'])
})

test('a failure passes to its caller alone and leaves the gate open', async () => {
  const gate = buildGate()
  await expect(gate.alone(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  await expect(gate.shared(() => Promise.reject(new Error('not either')))).rejects.toThrow('not either')
  expect(await gate.alone(() => Promise.resolve(1))).toBe(1)
  expect(await gate.shared(() => Promise.resolve(2))).toBe(2)
})
