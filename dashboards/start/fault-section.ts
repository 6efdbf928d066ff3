// Faults of the start page: the list of the last day and the view of one. It asks for its own answers at its own pace.

import type { FaultReply, FaultsReply } from '../../query/http/fault-schemas.ts'
import type { Api } from '../api.ts'
import type { Words } from '../i18n/words.ts'
import { copyFrom } from './copy-text.ts'
import { el, isModifiedClick, update } from './dom.ts'
import { isNotFound } from './failure-text.ts'
import { faultList } from './fault-list.ts'
import { faultView } from './fault-view.ts'
import { faultName } from './fault-words.ts'
import type { PageState } from './page-state.ts'
import { buildQuestion, panelFailure } from './panel.ts'

export type FaultSectionParts = {
  readonly api: Pick<Api, 'faults' | 'fault'>
  readonly byId: (id: string) => HTMLElement
  readonly nowMs: () => number
  readonly formatUrl: (state: PageState) => string
  readonly show: (change: Partial<PageState>) => void
}

export interface FaultSection {
  /** Asks for what is due; called in every round of the page. */
  tick(): void
  /** Everything is due: somebody signed in. */
  again(): void
  render(state: PageState, words: Words): void
}

const faultsMax = 100

export function buildFaultSection(parts: FaultSectionParts): FaultSection {
  const { api, byId, nowMs } = parts
  let state: PageState | undefined
  let words: Words | undefined

  const list = buildQuestion<true, FaultsReply>({
    ask: (_, signal) => api.faults({ from: '-24h', to: 'now', limit: faultsMax }, signal),
    keyOf: () => '',
    everyMs: () => 5000,
    keepsReply: true,
    onChange: draw,
    nowMs,
  })
  const one = buildQuestion<string, FaultReply>({
    ask: (id, signal) => api.fault(id, signal),
    keyOf: (id) => id,
    everyMs: () => 5000,
    keepsReply: false,
    onChange: draw,
    nowMs,
  })

  function tick(): void {
    if (state === undefined) return
    list.tick(true)
    one.tick(state.fault)
  }

  function draw(): void {
    if (state === undefined || words === undefined) return
    drawList(state, words)
    drawView(state, words)
  }

  function drawList(shown: PageState, said: Words): void {
    const { reply, failure } = list.panel
    update(
      byId('faults'),
      el('div', { class: 'section-head' }, el('h2', { id: 'faults-heading' }, said.text('faults'))),
      reply === undefined
        ? failure === undefined
          ? el('p', { class: 'muted' }, said.text('faultsLoading'))
          : undefined
        : faultList(
            { reply, selected: shown.fault, linkTo: (fault) => parts.formatUrl({ ...shown, fault }) },
            said,
          ),
      panelFailure(list.panel, said),
    )
  }

  function drawView(shown: PageState, said: Words): void {
    byId('fault-view').hidden = shown.fault === undefined
    if (shown.fault === undefined) return
    const { reply, failure } = one.panel
    const isGone = reply === undefined && isNotFound(failure)
    update(
      byId('fault-view'),
      el(
        'div',
        { class: 'section-head' },
        el(
          'h2',
          { id: 'fault-view-heading', tabindex: -1 },
          said.text('faultOf', { what: reply === undefined ? shown.fault : faultName(reply, said) }),
        ),
        el(
          'a',
          { href: parts.formatUrl({ ...shown, fault: undefined }), 'data-close-fault': true },
          `✕ ${said.text('close')}`,
        ),
      ),
      isGone
        ? el('p', { class: 'notice warning' }, `▲ ${said.text('faultGone')}`)
        : panelFailure(one.panel, said),
      reply === undefined && failure === undefined
        ? el('p', { class: 'muted' }, said.text('faultLoading'))
        : undefined,
      reply === undefined
        ? undefined
        : faultView(
            reply,
            {
              toRelease: (release) => parts.formatUrl({ ...shown, release }),
              toService: (service) => parts.formatUrl({ ...shown, service }),
              toTrace: (trace) => parts.formatUrl({ ...shown, trace }),
            },
            nowMs(),
            said,
          ),
    )
  }

  function close(): void {
    const fault = state?.fault
    parts.show({ fault: undefined })
    // Back to where the reader came from.
    for (const row of byId('faults').querySelectorAll<HTMLElement>('tr[data-fault]'))
      if (row.dataset['fault'] === fault) row.querySelector<HTMLElement>('a')?.focus()
  }

  document.addEventListener('click', (event) => {
    if (isModifiedClick(event) || !(event.target instanceof Element)) return
    const target = event.target.closest<HTMLElement>(
      '[data-close-fault], [data-copy], [data-service], [data-release], [data-trace], [data-fault]',
    )
    if (target === null) return
    const { copy, fault } = target.dataset
    if (target.hasAttribute('data-close-fault')) {
      event.preventDefault()
      close()
    } else if (copy !== undefined) {
      const said = words
      if (said !== undefined)
        void copyFrom(byId(copy)).then((isCopied) => {
          target.textContent = said.text(isCopied ? 'copied' : 'copyFailed')
        })
    } else if (fault !== undefined) {
      // Somebody who marks text to copy it does not mean to open the row.
      if (target.tagName === 'TR' && getSelection()?.isCollapsed === false) return
      event.preventDefault()
      parts.show({ fault })
      byId('fault-view').scrollIntoView({ block: 'nearest' })
      byId('fault-view-heading').focus({ preventScroll: true })
    }
  })
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || state?.fault === undefined || event.defaultPrevented) return
    if (document.activeElement instanceof HTMLInputElement) return
    // One press closes one thing.
    event.preventDefault()
    close()
  })

  return {
    tick,
    again() {
      list.again()
      one.again()
      tick()
    },
    render(nextState, nextWords) {
      state = nextState
      words = nextWords
      tick()
      draw()
    },
  }
}
