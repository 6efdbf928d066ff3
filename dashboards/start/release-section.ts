// Releases of the start page: the strips under its charts and the details of one. It asks for its own answers at its own pace.

import type { FaultsReply } from '../../query/http/fault-schemas.ts'
import type { ReleaseReply, ReleasesReply, ReleaseVerdict } from '../../query/http/release-schemas.ts'
import type { Api, Range } from '../api.ts'
import type { Words } from '../i18n/words.ts'
import { chartRange } from './burn-figure.ts'
import { part } from './detail-parts.ts'
import { el, isModifiedClick, update } from './dom.ts'
import { isNotFound } from './failure-text.ts'
import type { PageState } from './page-state.ts'
import { buildQuestion, panelFailure, withFailure } from './panel.ts'
import { releaseStrip } from './release-strip.ts'
import { releaseFacts, releaseFaults, remarkList, parameterTable, stageTable } from './release-view.ts'
import { releaseName } from './release-words.ts'
import { verdictView } from './verdict-view.ts'

export type ReleaseSectionParts = {
  readonly api: Pick<Api, 'releases' | 'release' | 'releaseVerdict' | 'faults'>
  readonly byId: (id: string) => HTMLElement
  readonly nowMs: () => number
  readonly formatUrl: (state: PageState) => string
  readonly show: (change: Partial<PageState>) => void
}

/** Whose chart stands above a strip, and its time axis. */
export type StripAxis = { readonly service: string; readonly fromMs: number; readonly toMs: number }

export interface ReleaseSection {
  /** Asks for what is due; called in every round of the page. */
  tick(): void
  /** Everything is due: somebody signed in. */
  again(): void
  render(state: PageState, words: Words): void
  /** Shows the releases in the element with this id, or nothing. */
  showStrip(id: string, axis: StripAxis | undefined): void
}

/** The API's own bound of one answer. */
const releasesMax = 1000
const faultsMax = 20

export function buildReleaseSection(parts: ReleaseSectionParts): ReleaseSection {
  const { api, byId, nowMs } = parts
  let state: PageState | undefined
  let words: Words | undefined
  let openedFrom: HTMLElement | undefined
  const strips = new Map<string, StripAxis>()

  const common = { keyOf: (id: string) => id, keepsReply: false, onChange: draw, nowMs } as const
  const list = buildQuestion<Range, ReleasesReply>({
    ...common,
    ask: (range, signal) => api.releases({ ...range, limit: releasesMax }, signal),
    keyOf: ({ from, to }) => `${from} ${to}`,
    everyMs: () => 5000,
    keepsReply: true,
  })
  const release = buildQuestion<string, ReleaseReply>({
    ...common,
    ask: (id, signal) => api.release(id, signal),
    everyMs: () => 5000,
  })
  const verdict = buildQuestion<string, ReleaseVerdict>({
    ...common,
    ask: (id, signal) => api.releaseVerdict(id, signal),
    everyMs: () => 5000,
  })
  const faults = buildQuestion<string, FaultsReply>({
    ...common,
    ask: (id, signal) => api.faults({ from: '-7d', to: 'now', release: id, limit: faultsMax }, signal),
    everyMs: () => 15_000,
  })

  function tick(): void {
    if (state === undefined) return
    const { service, slo, from, to } = state
    const hasCharts = service !== undefined || slo !== undefined
    list.tick(!hasCharts ? undefined : slo === undefined ? { from, to } : chartRange(state))
    release.tick(state.release)
    verdict.tick(state.release)
    faults.tick(state.release)
  }

  function draw(): void {
    for (const id of strips.keys()) drawStrip(id)
    drawDetail()
  }

  function drawStrip(id: string): void {
    const axis = strips.get(id)
    const { reply } = list.panel
    if (state === undefined || words === undefined || axis === undefined) return
    const shown = state
    update(
      byId(id),
      reply === undefined
        ? undefined
        : releaseStrip(
            {
              ...axis,
              releases: reply.items,
              widthPx: byId(id).clientWidth,
              linkTo: (one) => parts.formatUrl({ ...shown, release: one }),
            },
            words,
          ),
      panelFailure(list.panel, words),
    )
  }

  function drawDetail(): void {
    if (state === undefined || words === undefined) return
    const said = words
    const shown = state
    byId('release-detail').hidden = shown.release === undefined
    if (shown.release === undefined) return
    const at = nowMs()
    const { reply, failure } = release.panel
    const isGone = reply === undefined && isNotFound(failure)
    update(
      byId('release-detail'),
      el(
        'div',
        { class: 'section-head' },
        el(
          'h2',
          { id: 'release-detail-heading', tabindex: -1 },
          said.text('releaseOf', { name: (reply && releaseName(reply)) || shown.release }),
        ),
        reply === undefined || reply.system === '' ? undefined : el('span', { class: 'muted' }, reply.system),
        el(
          'a',
          { href: parts.formatUrl({ ...shown, release: undefined }), 'data-close-release': true },
          `✕ ${said.text('close')}`,
        ),
      ),
      isGone
        ? el('p', { class: 'notice warning' }, `▲ ${said.text('releaseGone')}`)
        : panelFailure(release.panel, said),
      reply === undefined && failure === undefined
        ? el('p', { class: 'muted' }, said.text('releaseLoading'))
        : undefined,
      isGone ? undefined : verdictPart(at, said),
      reply === undefined ? undefined : releaseFacts(reply, at, said),
      reply === undefined ? undefined : remarkList(reply, said),
      reply === undefined
        ? undefined
        : el('div', { class: 'release-parts' }, stageTable(reply, at, said), parameterTable(reply, said)),
      releaseFaults(faults.panel.reply, (fault) => parts.formatUrl({ ...shown, fault }), said),
    )
  }

  function verdictPart(at: number, said: Words): HTMLElement {
    const { reply, failure } = verdict.panel
    if (reply !== undefined) return withFailure(verdictView(reply, at, said), verdict.panel, said)
    const text = failure === undefined ? 'verdictLoading' : 'verdictNotYet'
    const shown = part(el('p', { class: 'muted' }, said.text(text)))
    return isNotFound(failure) || failure === undefined ? shown : withFailure(part(), verdict.panel, said)
  }

  function close(): void {
    parts.show({ release: undefined })
    // Back to where the reader came from.
    if (openedFrom?.isConnected === true) openedFrom.focus()
    openedFrom = undefined
  }

  document.addEventListener('click', (event) => {
    if (isModifiedClick(event) || !(event.target instanceof Element)) return
    if (event.target.closest('[data-close-release]') !== null) {
      event.preventDefault()
      close()
      return
    }
    const link = event.target.closest<HTMLElement>('[data-release]')
    if (link === null) return
    event.preventDefault()
    openedFrom = link
    parts.show({ release: link.dataset['release'] })
    byId('release-detail').scrollIntoView({ block: 'nearest' })
    byId('release-detail-heading').focus({ preventScroll: true })
  })
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || state?.release === undefined || event.defaultPrevented) return
    if (document.activeElement instanceof HTMLInputElement) return
    // One press closes one thing.
    event.preventDefault()
    close()
  })
  window.addEventListener('resize', () => {
    for (const id of strips.keys()) drawStrip(id)
  })

  return {
    tick,
    again() {
      for (const question of [list, release, verdict, faults]) question.again()
      tick()
    },
    render(nextState, nextWords) {
      state = nextState
      words = nextWords
      tick()
      draw()
    },
    showStrip(id, axis) {
      if (axis === undefined) {
        strips.delete(id)
        update(byId(id))
        return
      }
      strips.set(id, axis)
      drawStrip(id)
    },
  }
}
