// What /readyz says. Each part registers a probe; the answer names every part that is not ready and why.

export interface Health {
  /** @param probe resolves undefined when ready, else a sentence that says what is missing */
  register(part: string, probe: () => Promise<string | undefined> | string | undefined): void
  check(): Promise<HealthReport>
}

export type HealthReport = {
  readonly ready: boolean
  readonly parts: readonly { readonly part: string; readonly ready: boolean; readonly reason?: string }[]
}

export function buildHealth(): Health {
  const probes = new Map<string, () => Promise<string | undefined> | string | undefined>()
  return {
    register: (part, probe) => void probes.set(part, probe),
    async check() {
      const parts = await Promise.all(
        [...probes].map(async ([part, probe]) => {
          try {
            const reason = await probe()
            return reason === undefined ? { part, ready: true } : { part, ready: false, reason }
          } catch (error) {
            return { part, ready: false, reason: error instanceof Error ? error.message : String(error) }
          }
        }),
      )
      return { ready: parts.every((part) => part.ready), parts }
    },
  }
}
