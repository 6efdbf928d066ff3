import { expect, test } from 'vitest'
import { buildQuestion } from './panel.ts'

function scene(keepsReply: boolean) {
  const asked: { subject: string; signal: AbortSignal; answer: (reply: string) => void; fail: () => void }[] =
    []
  const clock = { ms: 0 }
  let changes = 0
  const question = buildQuestion<string, string>({
    ask: (subject, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      asked.push({ subject, signal, answer: resolve, fail: () => reject(new Error('down')) })
      return promise
    },
    keyOf: (subject) => subject,
    everyMs: () => 1000,
    keepsReply,
    onChange: () => changes++,
    nowMs: () => clock.ms,
  })
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return { asked, clock, question, settle, changes: () => changes }
}

test('asks at once, then no oftener than agreed, and never twice at a time', async () => {
  const { asked, clock, question, settle, changes } = scene(false)
  question.tick('a')
  clock.ms = 5000
  question.tick('a')
  expect(asked).toHaveLength(1)
  asked[0]?.answer('one')
  await settle()
  expect([question.panel.reply, changes()]).toEqual(['one', 1])
  question.tick('a')
  expect(asked).toHaveLength(2)
  asked[1]?.answer('two')
  await settle()
  clock.ms = 5999
  question.tick('a')
  expect(asked).toHaveLength(2)
  question.again()
  question.tick('a')
  expect(asked).toHaveLength(3)
})

test('a failure keeps the last answer and says why; the next answer forgets the failure', async () => {
  const { asked, clock, question, settle } = scene(false)
  question.tick('a')
  asked[0]?.answer('one')
  await settle()
  clock.ms = 1000
  question.tick('a')
  asked[1]?.fail()
  await settle()
  expect(question.panel).toEqual({ reply: 'one', failure: new Error('down') })
  clock.ms = 2000
  question.tick('a')
  asked[2]?.answer('two')
  await settle()
  expect(question.panel).toEqual({ reply: 'two' })
})

test.each([
  { keepsReply: true, want: 'one' },
  { keepsReply: false, want: undefined },
])(
  'another subject is asked for at once; the old answer stands: $keepsReply',
  async ({ keepsReply, want }) => {
    const { asked, question, settle } = scene(keepsReply)
    question.tick('a')
    asked[0]?.answer('one')
    await settle()
    question.tick('b')
    expect(question.panel.reply).toBe(want)
    question.tick('c')
    expect(asked.map(({ subject, signal }) => [subject, signal.aborted])).toEqual([
      ['a', false],
      ['b', true],
      ['c', false],
    ])
    // What is overtaken no longer counts.
    asked[1]?.answer('late')
    await settle()
    expect(question.panel.reply).toBe(want)
    question.tick(undefined)
    expect(question.panel.reply).toBe(undefined)
    expect(asked[2]?.signal.aborted).toBe(true)
  },
)
