// What a look of `surety doctor` came to. Pure shapes and judgements; nothing here looks at anything.

export type State = 'ok' | 'warn' | 'fail'

export type Finding = {
  /** What was looked at: `configuration`, `data directory`, `store` … */
  readonly check: string
  readonly state: State
  readonly text: string
  /** What to do; absent when there is nothing to do. */
  readonly remedy?: string
}

export const ok = (check: string, text: string): Finding => ({ check, state: 'ok', text })
export const warn = (check: string, text: string, remedy: string): Finding => ({
  check,
  state: 'warn',
  text,
  remedy,
})
export const fail = (check: string, text: string, remedy: string): Finding => ({
  check,
  state: 'fail',
  text,
  remedy,
})

/** The worst of them. */
export function worst(findings: readonly Finding[]): State {
  if (findings.some(({ state }) => state === 'fail')) return 'fail'
  return findings.some(({ state }) => state === 'warn') ? 'warn' : 'ok'
}

/** Where a figure lies: below `warnAt` ok, below `failAt` a warning. */
export function judged(
  check: string,
  value: number,
  bounds: { readonly warnAt: number; readonly failAt: number },
  text: string,
  remedy: string,
): Finding {
  if (value < bounds.warnAt) return ok(check, text)
  return value < bounds.failAt ? warn(check, text, remedy) : fail(check, text, remedy)
}

const WORDS: Readonly<Record<State, string>> = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' }

export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length))
  const lines = findings.flatMap(({ check, state, text, remedy }) => [
    `${WORDS[state]}  ${check.padEnd(width)}  ${text}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(width + 8)}→ ${remedy}`]),
  ])
  const number = (wanted: State) => findings.filter(({ state }) => state === wanted).length
  return `${lines.join('\n')}\n${number('ok')} ok, ${number('warn')} to look at, ${number('fail')} broken`
}
