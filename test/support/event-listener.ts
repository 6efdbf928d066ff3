// Listens to Server-Sent Events and keeps what came.

export type StreamEvent = { readonly event: string; readonly id: string; readonly data: unknown }

export type EventListener = {
  readonly status: number
  readonly headers: Headers
  readonly events: readonly StreamEvent[]
  /** As an EventSource would send it when it comes again. */
  lastId(): string
  /** The first event that fits, also one that came already. @throws Error when the stream ends before */
  until(fits: (event: StreamEvent) => boolean): Promise<StreamEvent>
  /** Resolves when the server ended it; rejects when it was cut off. */
  readonly ended: Promise<void>
  close(): Promise<void>
}

/** Resolves once the place is known where the stream begins. */
export async function listen(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<EventListener> {
  const stop = new AbortController()
  const reply = await fetch(url, { headers, signal: stop.signal })
  const events: StreamEvent[] = []
  const waiting = new Set<() => void>()
  let lastId = ''
  let isOver = false
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const take = (block: string) => {
    const fields = { event: 'message', data: '' }
    for (const line of block.split('\n')) {
      const [, name = '', value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? []
      if (name === 'id') lastId = value
      if (name === 'event' || name === 'data') fields[name] = value
    }
    if (fields.data !== '')
      events.push({ event: fields.event, id: lastId, data: JSON.parse(fields.data) as unknown })
    if (lastId !== '') begin()
  }
  async function read(): Promise<void> {
    let text = ''
    const decoder = new TextDecoder()
    try {
      for await (const part of reply.body ?? []) {
        const blocks = (text + decoder.decode(part as Uint8Array, { stream: true })).split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) take(block)
        for (const wake of waiting) wake()
      }
    } finally {
      isOver = true
      begin()
      for (const wake of waiting) wake()
    }
  }
  const ended = read()
  // Whoever closes it does not wait for it.
  ended.catch(() => undefined)
  if (reply.status === 200) await begun
  return {
    status: reply.status,
    headers: reply.headers,
    events,
    ended,
    lastId: () => lastId,
    async until(fits) {
      for (;;) {
        const found = events.find(fits)
        if (found !== undefined) return found
        if (isOver) throw new Error(`the stream ended after ${JSON.stringify(events).slice(0, 2000)}`)
        await new Promise<void>((resolve) => {
          waiting.add(resolve)
        })
      }
    },
    async close() {
      stop.abort()
      await ended.catch(() => undefined)
    },
  }
}
