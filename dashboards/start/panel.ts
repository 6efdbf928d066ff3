// One part of the page and what it asks for: the newest answer, why the last attempt failed, and when to ask again.
// A part that fails keeps its last content and says so; it never holds up the others.

import { asksForSignIn, failureText } from './failure-text.ts'
import type { Words } from '../i18n/words.ts'
import { el } from './dom.ts'

/** The newest answer of one request, and why the last attempt failed, if it did. */
export type Panel<Reply> = { reply?: Reply; failure?: unknown }

/** Says that what is shown is not the newest; undefined when it is. */
export function panelFailure(panel: Panel<unknown>, words: Words): HTMLElement | undefined {
  // That somebody has to sign in is said once, at the top of the page, not by every part.
  if (panel.failure === undefined || asksForSignIn(panel.failure)) return undefined
  const reason = failureText(panel.failure, words)
  return el('p', { class: 'notice warning' }, `▲ ${words.text('panelFailed', { reason })}`)
}

/** What is shown, and below it why it is not the newest. */
export function withFailure(shown: HTMLElement, panel: Panel<unknown>, words: Words): HTMLElement {
  const failure = panelFailure(panel, words)
  if (failure !== undefined) shown.append(failure)
  return shown
}

export type QuestionParts<Subject, Reply> = {
  readonly ask: (subject: Subject, signal: AbortSignal) => Promise<Reply>
  /** Subjects with the same key are the same question. */
  readonly keyOf: (subject: Subject) => string
  /** Least time from the beginning of one attempt to the next. */
  readonly everyMs: (reply: Reply | undefined) => number
  /** Whether the old answer may stand until the one to another subject has come. */
  readonly keepsReply: boolean
  readonly onChange: () => void
  readonly nowMs: () => number
}

export interface Question<Subject, Reply> {
  readonly panel: Readonly<Panel<Reply>>
  /** Asks when it is time, or at once when the subject is another one; undefined asks nothing and forgets. */
  tick(subject: Subject | undefined): void
  /** The next tick asks, whenever the last attempt was. */
  again(): void
}

/** States: idle → asking (at most one attempt under way) → idle …; another subject aborts the attempt under way. */
export function buildQuestion<Subject, Reply>(
  parts: QuestionParts<Subject, Reply>,
): Question<Subject, Reply> {
  const panel: Panel<Reply> = {}
  let key: string | undefined
  let attempt: AbortController | undefined
  let beganMs = -Infinity

  async function ask(subject: Subject): Promise<void> {
    const own = new AbortController()
    attempt = own
    beganMs = parts.nowMs()
    try {
      const reply = await parts.ask(subject, own.signal)
      if (attempt !== own) return
      panel.reply = reply
      delete panel.failure
    } catch (error) {
      if (attempt !== own) return
      panel.failure = error
    }
    attempt = undefined
    parts.onChange()
  }

  return {
    panel,
    tick(subject) {
      const asked = subject === undefined ? undefined : parts.keyOf(subject)
      if (asked !== key) {
        key = asked
        attempt?.abort()
        attempt = undefined
        beganMs = -Infinity
        delete panel.failure
        if (!parts.keepsReply || subject === undefined) delete panel.reply
      }
      if (subject === undefined || attempt !== undefined) return
      if (parts.nowMs() - beganMs >= parts.everyMs(panel.reply)) void ask(subject)
    },
    again() {
      beganMs = -Infinity
    },
  }
}
