import { describe, expect, test } from 'vitest'
import { buildEventStream, eventText } from './event-stream.ts'

test('an event is one line of data, whatever it says', () => {
  expect(eventText('status', { text: 'a\nb\r\n\u2028id: 9' }, 7)).toBe(
    'id: 7\nevent: status\ndata: {"text":"a\\nb\\r\\n\u2028id: 9"}\n\n',
  )
  expect(eventText('reset', {})).toBe('event: reset\ndata: {}\n\n')
})

/** Takes all that it is given. */
async function takeAll(stream: ReturnType<typeof buildEventStream>): Promise<string> {
  let text = ''
  for await (const part of stream.readable) text += String(part)
  return text
}

describe('to one listener', () => {
  test('events go out in order, the newest of what replaces one another after them', () => {
    const stream = buildEventStream()
    stream.tell('1 ')
    stream.tellNewest('a', () => 'a1 ')
    stream.tellNewest('b', () => 'b1 ')
    stream.tell('2 ')
    stream.tellNewest('a', () => 'a2 ')
    expect(String(stream.readable.read())).toBe('1 2 a2 b1 ')
    stream.tell('3 ')
    expect(String(stream.readable.read())).toBe('3 ')
  })

  test('what waits under one key waits once and is written when it is sent', () => {
    const stream = buildEventStream()
    let written = 0
    for (let n = 0; n < 100_000; n += 1)
      stream.tellNewest(`key ${n % 3}`, () => {
        written += 1
        return `${n} `
      })
    expect(written).toBe(0)
    expect(String(stream.readable.read())).toMatch(/^9999\d /)
    expect(written).toBe(3)
  })

  test('more than a thousand do not wait', () => {
    const stream = buildEventStream()
    const taken = Array.from({ length: 1500 }, (_, n) => stream.tell(`${n} `))
    expect(taken.filter(Boolean)).toHaveLength(1000)
    stream.clear()
    expect(stream.tell('again')).toBe(true)
  })

  test('one that takes nothing from one beat to the next is dropped, however much waits', () => {
    const stream = buildEventStream()
    // Fills what the readable itself holds.
    stream.readable.read()
    for (let n = 0; n < 100; n += 1) stream.tell('x'.repeat(10_000))
    expect(stream.beat()).toBe(true)
    expect(stream.readable.destroyed).toBe(false)
    expect(stream.beat()).toBe(false)
    expect(stream.readable.destroyed).toBe(true)
  })

  test('one that takes what it is given hears a comment at each beat', async () => {
    const stream = buildEventStream()
    const taken = takeAll(stream)
    for (let beat = 0; beat < 5; beat += 1) {
      expect(stream.beat()).toBe(true)
      await new Promise(setImmediate)
    }
    stream.end()
    expect(await taken).toBe(': still here\n\n'.repeat(5))
  })

  test('nothing is told after the end', async () => {
    const stream = buildEventStream()
    const taken = takeAll(stream)
    stream.end()
    stream.tell('late')
    stream.tellNewest('a', () => 'late')
    stream.end()
    expect(await taken).toBe('')
  })
})
