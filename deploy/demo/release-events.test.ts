import { pino } from 'pino'
import { describe, expect, test, vi } from 'vitest'
import { baselineId, buildReleaseEvent, openReleaseSender, type Release } from './release-events.ts'

const release: Release = {
  action: 'deployed',
  service: 'transfer',
  version: '2.14.0',
  previousVersion: '2.13.4',
  scope: { kind: 'branch', branches: ['0531-01', '0531-02'] },
  at: Date.parse('2026-03-04T02:00:00Z'),
  id: '00000000-0000-4000-8000-000000000001',
}

describe('a release event', () => {
  test('is a CDEvent in a CloudEvent, and both agree', () => {
    const event = buildReleaseEvent(release)
    expect(event).toMatchObject({
      specversion: '1.0',
      type: 'dev.cdevents.service.deployed.0.2.0',
      subject: 'transfer',
      time: '2026-03-04T02:00:00.000Z',
      data: {
        context: { version: '0.4.1', timestamp: '2026-03-04T02:00:00.000Z' },
        subject: {
          id: 'transfer',
          type: 'service',
          content: { environment: { id: 'demo' }, artifactId: 'pkg:oci/transfer@2.14.0' },
        },
        customData: {
          version: '2.14.0',
          previousVersion: '2.13.4',
          scope: { kind: 'branch', branches: ['0531-01', '0531-02'] },
          description: '2.13.4 → 2.14.0',
        },
      },
    })
    expect(event.data.context.id).toBe(event.id)
    expect(event.data.context.type).toBe(event.type)
    expect(event.data.context.source).toBe(event.source)
  })

  test.each<{ name: string; change: Partial<Release>; want: string }>([
    { name: 'a step', change: {}, want: '2.13.4 → 2.14.0' },
    { name: 'a first version', change: { previousVersion: undefined }, want: '2.14.0' },
  ])('describes $name in few words', ({ change, want }) => {
    expect(buildReleaseEvent({ ...release, ...change }).data.customData.description).toBe(want)
  })

  test('a baseline keeps its id over restarts, and each service has its own', () => {
    expect(baselineId('transfer', '2.13.4')).toBe(baselineId('transfer', '2.13.4'))
    expect(baselineId('transfer', '2.13.4')).toMatch(
      /^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
    )
    expect(
      new Set([baselineId('ledger', '1.0.0'), baselineId('limit', '1.0.0'), baselineId('limit', '1.0.1')])
        .size,
    ).toBe(3)
  })
})

describe('sending', () => {
  const logger = pino({ level: 'silent' })
  const replies = (answers: readonly (number | Error)[]) => {
    const bodies: string[] = []
    const post = vi.fn((_url: string, init: RequestInit) => {
      bodies.push((JSON.parse(init.body as string) as { id: string }).id)
      const answer = answers[bodies.length - 1] ?? 202
      return answer instanceof Error
        ? Promise.reject(answer)
        : Promise.resolve(new Response('', { status: answer }))
    })
    return { bodies, post }
  }
  const named = (id: string) => buildReleaseEvent({ ...release, id })

  test('fails twice, then works, and keeps the order', async () => {
    const { bodies, post } = replies([new Error('connect ECONNREFUSED'), 503])
    const sender = openReleaseSender({ url: 'http://127.0.0.1:9', logger, fetch: post, firstRetryMs: 1 })
    sender.send(named('a'))
    sender.send(named('b'))
    await vi.waitFor(() => expect(sender.state()).toMatchObject({ pending: 0, sent: 2 }))
    expect(bodies).toEqual(['a', 'a', 'a', 'b'])
    expect(sender.state().lastFailure).toBeUndefined()
    await sender.close()
  })

  test('gives up what Surety refuses and goes on', async () => {
    const { bodies, post } = replies([400])
    const sender = openReleaseSender({ url: 'http://127.0.0.1:9', logger, fetch: post, firstRetryMs: 1 })
    sender.send(named('a'))
    sender.send(named('b'))
    await vi.waitFor(() => expect(sender.state()).toMatchObject({ pending: 0, sent: 1, refused: 1 }))
    expect(bodies).toEqual(['a', 'b'])
    await sender.close()
  })

  test('closing ends a wait between attempts', async () => {
    const { post } = replies(Array.from({ length: 9 }, () => new Error('down')))
    const sender = openReleaseSender({ url: 'http://127.0.0.1:9', logger, fetch: post, firstRetryMs: 60_000 })
    sender.send(named('a'))
    await vi.waitFor(() => expect(sender.state().lastFailure).toBe('down'))
    await sender.close()
    expect(sender.state().pending).toBe(1)
  })
})
