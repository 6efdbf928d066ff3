// The SLOs of the start page: the systems' strip, the list, the details of one. It asks for its own answers at its own
// pace, so that neither it nor the rest of the page waits for the other.

import type { DowntimeReply } from '../../query/http/report-schemas.ts'
import type { Api, SloWhich } from '../api.ts'
import type {
  SloBurnReply,
  SloHistoryReply,
  SloItem,
  SloLedgerReply,
  SloReply,
} from '../../query/http/slo-schemas.ts'
import type { Words } from '../i18n/words.ts'
import { buildBurnFigure, chartRange } from './burn-figure.ts'
import { el, isModifiedClick, update } from './dom.ts'
import { isNotFound } from './failure-text.ts'
import type { PageState } from './page-state.ts'
import { buildQuestion, panelFailure, withFailure } from './panel.ts'
import { pairsTable, sloFacts, sloTitle, transitionsTable } from './slo-detail.ts'
import { chartWindows } from './slo-figures.ts'
import { exclusionsTable, ledgerTable } from './slo-ledger.ts'
import { sloListView } from './slo-list.ts'
import { itemKey, lineKeyOf, worstBySystem } from './slo-order.ts'
import { askSlos, listEveryMs, type SloList, type SloWish } from './slo-questions.ts'
import { itemKeyOf } from './slo-table.ts'
import type { ReleaseSection } from './release-section.ts'
import { systemsStrip } from './systems-strip.ts'

export type SloSectionParts = {
  readonly api: Api
  readonly byId: (id: string) => HTMLElement
  readonly nowMs: () => number
  /** IANA zone of the reader. */
  readonly timeZone: string
  readonly formatUrl: (state: PageState) => string
  /** Shows another view; `isTyped` leaves no trace in the browser's history. */
  readonly show: (change: Partial<PageState>, isTyped?: boolean) => void
  /** Shows the releases under the burn chart. */
  readonly showStrip: ReleaseSection['showStrip']
}

export interface SloSection {
  /** Asks for what is due; called in every round of the page. */
  tick(): void
  /** Everything is due: somebody signed in. */
  again(): void
  render(state: PageState, words: Words): void
}

const transitionSeconds = 7 * 86_400
/** The API's least; the points themselves are not drawn. */
const historyPoints = 10
const ledgerRows = 50

export function buildSloSection(parts: SloSectionParts): SloSection {
  const { api, byId, nowMs } = parts
  let state: PageState | undefined
  let words: Words | undefined
  /** What the details are of, to notice that they are of something else. */
  let shownKey: string | undefined
  const expanded = new Set<string>()
  let drawnInputs: readonly unknown[] = []

  const figure = buildBurnFigure(byId, draw, parts.showStrip)
  const onChange = () => {
    // What one answer says another question may need.
    tick()
    draw()
  }
  const list = buildQuestion<SloWish, SloList>({
    ask: (wish, signal) => askSlos(api, wish, signal),
    keyOf: ({ isAll, find }) => `${isAll}\n${find}`,
    everyMs: listEveryMs,
    keepsReply: true,
    onChange,
    nowMs,
  })
  const downtime = buildQuestion<true, DowntimeReply>({
    ask: (_, signal) => api.downtime(parts.timeZone, signal),
    keyOf: () => '',
    everyMs: () => 10_000,
    keepsReply: true,
    onChange,
    nowMs,
  })
  const detail = <Reply>(
    everyMs: number,
    ask: (which: SloWhich, signal: AbortSignal) => Promise<Reply>,
    more: () => string = () => '',
  ) =>
    buildQuestion<SloWhich, Reply>({
      ask,
      keyOf: (which) => `${itemKeyOf(which)}\n${more()}`,
      everyMs: () => everyMs,
      keepsReply: false,
      onChange,
      nowMs,
    })
  const range = () => chartRange(state ?? { from: '-6h', to: 'now' })
  const about = detail<SloReply>(10_000, ({ slo }, signal) => api.slo(slo, parts.timeZone, signal))
  const burn = detail<SloBurnReply>(
    10_000,
    (which, signal) => api.sloBurn(which, range(), chartWindows(itemOf(which) ?? noBurns), signal),
    () => `${range().from} ${range().to}`,
  )
  const history = detail<SloHistoryReply>(10_000, (which, signal) =>
    api.sloHistory(which, { from: `-${transitionSeconds}s`, to: 'now' }, historyPoints, signal),
  )
  const ledger = detail<SloLedgerReply>(60_000, (which, signal) => {
    const from = itemOf(which)?.window?.from ?? `-${transitionSeconds}s`
    return api.sloLedger({ ...which, from, limit: ledgerRows }, signal)
  })
  const questions = [list, downtime, about, burn, history, ledger]

  function selected(): SloWhich | undefined {
    if (state?.slo === undefined) return undefined
    return { slo: state.slo, objective: state.objective, group: state.group }
  }

  function itemOf(which: SloWhich): SloItem | undefined {
    const key = itemKeyOf(which)
    const isIt = (item: SloItem) => itemKey(item) === key
    return list.panel.reply?.items.find(isIt) ?? about.panel.reply?.items.find(isIt)
  }

  function tick(): void {
    if (state === undefined) return
    list.tick({ isAll: state.allSlos, find: state.find.trim(), timeZone: parts.timeZone })
    downtime.tick(true)
    const which = selected()
    about.tick(which)
    history.tick(which)
    // Their windows are known once the item is.
    const item = which === undefined ? undefined : itemOf(which)
    ledger.tick(item === undefined ? undefined : which)
    burn.tick(item === undefined || item.isComposite ? undefined : which)
  }

  function draw(): void {
    if (state === undefined || words === undefined) return
    followSelection()
    drawSystems(words)
    drawList(state, words)
    drawDetail(words)
  }

  function followSelection(): void {
    const which = selected()
    const key = which === undefined ? undefined : itemKeyOf(which)
    if (key === shownKey) return
    shownKey = key
    figure.close()
    // Where the reader looks at a group, its fold is open.
    if (which !== undefined && which.group !== '') expanded.add(lineKeyOf(which))
  }

  function drawSystems(said: Words): void {
    const { panel } = downtime
    update(
      byId('systems'),
      el('div', { class: 'section-head' }, el('h2', { id: 'systems-heading' }, said.text('systems'))),
      panel.reply === undefined
        ? undefined
        : systemsStrip(panel.reply, worstBySystem(list.panel.reply?.items ?? []), said),
      panelFailure(panel, said),
    )
  }

  function drawList(shown: PageState, said: Words): void {
    // Answers about details come and go; hundreds of rows are drawn anew only for what they show.
    const { reply, failure } = list.panel
    const inputs = [reply, failure, said, parts.formatUrl(shown), [...expanded].join()]
    if (inputs.every((input, place) => input === drawnInputs[place])) return
    drawnInputs = inputs
    update(
      byId('slos'),
      ...sloListView(
        {
          list: reply,
          find: shown.find,
          isAll: shown.allSlos,
          expanded,
          selected: selected(),
          nowMs: nowMs(),
          linkTo: (which) => parts.formatUrl({ ...shown, ...which }),
          linkToService: (service) => parts.formatUrl({ ...shown, service }),
        },
        said,
      ),
      panelFailure(list.panel, said),
    )
    // The browser's back button changes the filter, too; what is being typed is left alone.
    const field = byId('slo-find') as HTMLInputElement
    if (document.activeElement !== field && field.value !== shown.find) field.value = shown.find
  }

  function drawDetail(said: Words): void {
    const which = selected()
    byId('slo-detail').hidden = which === undefined
    if (which === undefined || state === undefined) return
    const item = itemOf(which)
    const isGone = item === undefined && (about.panel.reply !== undefined || isNotFound(about.panel.failure))
    const at = nowMs()
    const back = { ...state, slo: undefined, objective: 0, group: '' }
    update(
      byId('slo-detail-head'),
      el(
        'div',
        { class: 'section-head' },
        el(
          'h2',
          { id: 'slo-detail-heading', tabindex: -1 },
          item === undefined ? which.slo : sloTitle(item, said),
        ),
        el('a', { href: parts.formatUrl(back), 'data-close-slo': true }, `✕ ${said.text('close')}`),
      ),
      isGone ? undefined : panelFailure(about.panel, said),
      isGone ? el('p', { class: 'notice warning' }, `▲ ${said.text('sloGone')}`) : undefined,
      item === undefined ? undefined : sloFacts(item, about.panel.reply?.burnProfile ?? null, said),
    )
    figure.draw({ item, panel: burn.panel, range: range() }, said)
    byId('slo-detail-parts').hidden = isGone
    update(
      byId('slo-detail-parts'),
      item === undefined ? undefined : pairsTable(item, at, said),
      withFailure(transitionsTable(history.panel.reply, transitionSeconds, said), history.panel, said),
      exclusionsTable(about.panel.reply, at, said),
      withFailure(
        ledgerTable(ledger.panel.reply, ledger.panel.failure === undefined, said),
        ledger.panel,
        said,
      ),
    )
  }

  function open(which: SloWhich): void {
    parts.show({ ...which })
    tick()
    byId('slo-detail').scrollIntoView({ block: 'nearest' })
    byId('slo-detail-heading').focus({ preventScroll: true })
  }

  function close(): void {
    const which = selected()
    parts.show({ slo: undefined, objective: 0, group: '' })
    // Back to where the reader came from.
    if (which !== undefined) rowOf(byId('slos'), which)?.querySelector<HTMLElement>('a')?.focus()
  }

  byId('slos').addEventListener('click', (event) => {
    if (isModifiedClick(event) || !(event.target instanceof Element)) return
    const control = event.target.closest<HTMLElement>('[data-fold], [data-all], [data-service]')
    if (control !== null) {
      const { fold, all, service } = control.dataset
      // A service is the page's business.
      if (service !== undefined) return
      if (all !== undefined) parts.show({ allSlos: all === 'true' })
      else if (fold !== undefined && !expanded.delete(fold)) expanded.add(fold)
      tick()
      draw()
      return
    }
    const row = event.target.closest<HTMLElement>('[data-slo]')
    if (row === null || getSelection()?.isCollapsed === false) return
    event.preventDefault()
    const { slo = '', objective = '0', group = '' } = row.dataset
    open({ slo, objective: Number(objective), group })
  })
  byId('slos').addEventListener('input', (event) => {
    if (!(event.target instanceof HTMLInputElement)) return
    parts.show({ find: event.target.value }, true)
    tick()
  })
  byId('slo-detail').addEventListener('click', (event) => {
    if (isModifiedClick(event) || !(event.target instanceof Element)) return
    if (event.target.closest('[data-close-slo]') === null) return
    event.preventDefault()
    close()
  })
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || selected() === undefined || event.defaultPrevented) return
    if (document.activeElement instanceof HTMLInputElement) return
    // One press closes one thing.
    event.preventDefault()
    close()
  })

  return {
    tick,
    again() {
      for (const question of questions) question.again()
      tick()
    },
    render(nextState, nextWords) {
      const isOther = state !== undefined && selectionOf(state) !== selectionOf(nextState)
      state = nextState
      words = nextWords
      if (isOther) tick()
      draw()
    },
  }
}

/** Stands in for an item that is not listed: the usual windows are asked for. */
const noBurns: Parameters<typeof chartWindows>[0] = { pairs: [], burnRates: [], stepSeconds: 10 }

function selectionOf({ slo, objective, group, from, to }: PageState): string {
  return JSON.stringify([slo, objective, group, from, to])
}

function rowOf(section: HTMLElement, which: SloWhich): HTMLElement | undefined {
  return [...section.querySelectorAll<HTMLElement>('tr[data-slo]')].find(
    ({ dataset }) =>
      dataset['slo'] === which.slo &&
      dataset['objective'] === String(which.objective) &&
      dataset['group'] === which.group,
  )
}
