// The start page: what is worst now, every service version, one service's charts, the newest releases, a trace by
// its id. This file keeps what is on screen and asks for it again; figures become pictures in start/ and charts/.
//
// One round (start/refresh.ts) asks for everything on screen. Only the services decide whether the page is up to
// date: a panel whose own request failed keeps its last content and says so.

import type {
  IngestStatusReply,
  ReleaseEventsReply,
  ServiceSeriesReply,
  ServicesReply,
  TraceReply,
  UtilisationReply,
} from '../query/http/schemas.ts'
import { buildApi } from './api.ts'
import { errorRatioChart } from './charts/error-ratio-chart.ts'
import { latencyChart } from './charts/latency-chart.ts'
import { type ChartGroup, openCharts, readPalette } from './charts/mount.ts'
import { requestsChart } from './charts/requests-chart.ts'
import { buildWords, chooseLanguage, type Language } from './i18n/words.ts'
import { byId, el, isModifiedClick, update } from './start/dom.ts'
import { asksForSignIn, asksForToken, failureText, isNotFound, isUnreachable } from './start/failure-text.ts'
import { buildSignIn } from './start/sign-in.ts'
import { buildSessionApi } from './session.ts'
import {
  formatPageState,
  type PageState,
  parsePageState,
  parseTraceId,
  rangeChoices,
} from './start/page-state.ts'
import { startRefresh } from './start/refresh.ts'
import { type Panel, panelFailure } from './start/panel.ts'
import { releaseList } from './start/release-list.ts'
import { buildFaultSection } from './start/fault-section.ts'
import { buildReleaseSection } from './start/release-section.ts'
import { latestRelease, levelMarks, servicesTable } from './start/services-table.ts'
import { buildSloSection } from './start/slo-section.ts'
import { statusStrip } from './start/status-strip.ts'
import { traceView } from './start/trace-view.ts'
import { utilisationTables } from './start/utilisation-tables.ts'
import { sentence, verdict, verdictMinutes } from './verdict.ts'

type Theme = 'auto' | 'light' | 'dark'

const refreshMs = 2000
const retryMaxMs = 30_000
/** How far back a version's release is looked for, and how many events that may be. */
const releasesFrom = '-7d'
const releasesMax = 200
/** Where the releases stand under the charts of a service. */
const stripIds = ['requests-strip', 'errors-strip', 'latency-strip'] as const

/** What Surety asks for when it is reached from elsewhere; kept for this tab alone. */
let token = tokenOfTab()
const api = buildApi((input, init) => {
  const headers = new Headers(init?.headers)
  if (token !== '') headers.set('authorization', `Bearer ${token}`)
  return fetch(input, { ...init, headers })
})
const signIn = buildSignIn({
  session: buildSessionApi(fetch),
  byId,
  onChange: () => {
    askAgain()
  },
})
const common = { api, byId, nowMs: () => Date.now(), formatUrl, show } as const
// What is opened from another view closes first.
const releaseSection = buildReleaseSection(common)
const faults = buildFaultSection(common)
const slos = buildSloSection({
  ...common,
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  showStrip: (id, axis) => releaseSection.showStrip(id, axis),
})
const sections = [releaseSection, faults, slos] as const
const otlpTracesUrl =
  document.querySelector('meta[name="surety-otlp-traces-url"]')?.getAttribute('content') ||
  `${location.origin}/v1/traces`
const releasesUrl = `${location.origin}/api/v1/releases/events`

let state = parsePageState(location.search)
let language = chooseLanguage(state.language, remembered('surety.language'), navigator.languages)
let words = buildWords(language)
let theme = readTheme(remembered('surety.theme'))

let now: ServicesReply | undefined
const services: Panel<ServicesReply> = {}
const ingest: Panel<IngestStatusReply> = {}
const releases: Panel<ReleaseEventsReply> = {}
const utilisation: Panel<UtilisationReply> = {}
const series: Panel<ServiceSeriesReply> = {}
const serviceReleases: Panel<ReleaseEventsReply> = {}
let trace: Panel<TraceReply> & { id?: string; notAnId?: boolean } = {}
let lastGoodMs: number | undefined
let trouble: { error: unknown; retryInMs: number } | undefined
let charts: ChartGroup | undefined
let chartsOpening = false
// A link to a trace means the trace, which stands below the services.
let scrollToTrace = state.trace !== undefined

// Asking

async function load(signal: AbortSignal): Promise<void> {
  for (const section of sections) section.tick()
  const range = { from: state.from, to: state.to }
  const service = state.service
  const all = api.services(range, signal)
  const recent = api.services({ from: `-${verdictMinutes}m`, to: 'now' }, signal)
  const rest: Promise<void>[] = [
    keep(ingest, api.ingestStatus(signal), signal),
    keep(utilisation, api.utilisation(signal), signal),
    keep(releases, api.releaseEvents({ from: releasesFrom, to: 'now', limit: releasesMax }, signal), signal),
  ]
  if (service !== undefined) {
    rest.push(
      keep(series, api.series(service, range, signal), signal),
      keep(serviceReleases, api.releaseEvents({ ...range, service, limit: releasesMax }, signal), signal),
    )
  }
  const [allReply, nowReply] = await Promise.all([all, recent, ...rest])
  if (signal.aborted) return
  services.reply = allReply
  now = nowReply
  lastGoodMs = Date.now()
  trouble = undefined
  render()
  if (scrollToTrace) renderTrace()
}

/** Somebody signed in: everything that was refused may now be answered. */
function askAgain(): void {
  for (const section of sections) section.again()
  refresh.now()
  void loadTrace()
}

/** Keeps the answer, or why there is none, unless the reader has moved on meanwhile. */
async function keep<Reply>(panel: Panel<Reply>, answer: Promise<Reply>, signal: AbortSignal): Promise<void> {
  try {
    const reply = await answer
    if (signal.aborted) return
    panel.reply = reply
    delete panel.failure
  } catch (error) {
    if (!signal.aborted) panel.failure = error
  }
}

async function loadTrace(): Promise<void> {
  const pasted = state.trace
  if (pasted === undefined || pasted.trim() === '') {
    trace = {}
    renderTrace()
    return
  }
  const id = parseTraceId(pasted)
  if (id === undefined) {
    trace = { notAnId: true }
    renderTrace()
    return
  }
  const asked: typeof trace = { id }
  trace = asked
  renderTrace()
  try {
    asked.reply = await api.trace(id)
  } catch (error) {
    asked.failure = error
  }
  if (trace === asked) renderTrace()
}

// Drawing

function render(): void {
  renderTop()
  renderProblem()
  renderVerdict()
  for (const section of sections) section.render(state, words)
  renderServices()
  renderSelected()
  renderUtilisation()
  renderReleases()
}

function renderTop(): void {
  document.documentElement.lang = language
  const fixed = rangeChoices.every((choice) => choice.from !== state.from) || state.to !== 'now'
  update(
    byId('ranges'),
    ...rangeChoices.map(({ from, label }) =>
      el(
        'button',
        {
          type: 'button',
          'data-from': from,
          'aria-pressed': String(!fixed && state.from === from),
        },
        words.text(label),
      ),
    ),
    fixed
      ? el(
          'button',
          { type: 'button', 'aria-pressed': 'true', title: `${state.from} – ${state.to}` },
          words.text('fixedRange'),
        )
      : undefined,
  )
  byId('ranges').setAttribute('aria-label', words.text('range'))
  byId('languages').setAttribute('aria-label', words.text('language'))
  for (const button of byId('languages').querySelectorAll('button'))
    button.setAttribute('aria-pressed', String(button.dataset['language'] === language))
  byId('theme').textContent = words.text(
    { auto: 'themeAuto', dark: 'themeDark', light: 'themeLight' }[theme] as 'themeAuto',
  )
  const live = trouble === undefined
  update(
    byId('live'),
    lastGoodMs === undefined
      ? el('span', { class: 'muted' }, live ? words.text('loading') : '○')
      : el(
          'span',
          {
            class: live ? 'ok-text' : 'bad-text',
            title: words.text('liveHint', { time: words.time(lastGoodMs, lastGoodMs) }),
          },
          live ? `● ${words.text('live')} ` : '○ ',
          el('span', { class: 'muted' }, words.time(lastGoodMs, lastGoodMs)),
        ),
  )
  const input = byId('trace-id') as HTMLInputElement
  input.placeholder = words.text('tracePlaceholder')
  byId('trace-heading').textContent = words.text('trace')
  byId('trace-show').textContent = words.text('traceShow')
}

function renderProblem(): void {
  document.body.classList.toggle('stale', trouble !== undefined)
  signIn.render(words, asksForSignIn(trouble?.error))
  byId('token-form').hidden = !asksForToken(trouble?.error)
  byId('token-label').textContent = words.text('tokenAsked')
  byId('token-use').textContent = words.text('tokenUse')
  if (trouble === undefined) {
    update(byId('problem'))
    return
  }
  const values = {
    reason: failureText(trouble.error, words),
    seconds: words.count(trouble.retryInMs / 1000),
  }
  const what = words.text(isUnreachable(trouble.error) ? 'unreachable' : 'refused', values)
  const since =
    lastGoodMs === undefined
      ? words.text('nothingYetSeen')
      : words.text('staleSince', { time: words.time(lastGoodMs, Date.now()) })
  update(
    byId('problem'),
    el('p', { class: 'notice bad' }, el('span', { class: 'strong' }, `■ ${what}`), ' ', since),
  )
}

function renderVerdict(): void {
  if (services.reply === undefined || now === undefined) {
    const waiting =
      trouble === undefined ? el('p', { class: 'notice' }, words.text('verdictWaiting')) : undefined
    update(byId('verdict'), waiting)
    document.title = words.text('pageTitle')
    return
  }
  const result = verdict(now, services.reply, ingest.reply)
  const release =
    result.kind === 'failing' ? latestRelease(releases.reply?.items ?? [], result.worst) : undefined
  const told = sentence(result, words, { otlpTracesUrl, release, nowMs: Date.parse(now.to) })
  const { mark, style } = levelMarks[told.level]
  const box = { bad: 'bad', warning: 'warning', ok: 'ok', quiet: '' }[told.level]
  update(
    byId('verdict'),
    el(
      'p',
      { class: `notice verdict ${box}`.trimEnd() },
      el('span', { class: `${style} mark`, 'aria-hidden': 'true' }, mark),
      ' ',
      el('span', { id: 'verdict-headline' }, told.headline),
      ' ',
      told.service === undefined || told.service === state.service
        ? undefined
        : el(
            'a',
            { href: linkTo(told.service), 'data-service': told.service },
            `${words.text('showCharts')} ▸`,
          ),
      told.more.length === 0
        ? undefined
        : el('span', { class: 'more' }, told.more.join(language === 'en' ? ' ' : '')),
    ),
  )
  document.title = `${mark} ${told.headline} – ${words.text('pageTitle')}`
}

function renderServices(): void {
  const status = byId('status')
  update(
    status,
    ingest.reply === undefined ? undefined : statusStrip(ingest.reply, words),
    panelFailure(ingest, words),
  )
  if (services.reply === undefined) {
    update(byId('services'))
    return
  }
  update(
    byId('services'),
    el('div', { class: 'section-head' }, el('h2', { id: 'services-heading' }, words.text('services'))),
    servicesTable(
      { reply: services.reply, releases: releases.reply?.items ?? [], selected: state.service, linkTo },
      words,
    ),
  )
}

function renderReleases(): void {
  update(
    byId('releases'),
    el('div', { class: 'section-head' }, el('h2', { id: 'releases-heading' }, words.text('releases'))),
    releases.reply === undefined ? undefined : releaseList(releases.reply, linkTo, releasesUrl, words),
    panelFailure(releases, words),
  )
}

function renderUtilisation(): void {
  update(
    byId('utilisation'),
    el('div', { class: 'section-head' }, el('h2', { id: 'utilisation-heading' }, words.text('utilisation'))),
    utilisation.reply === undefined ? undefined : utilisationTables(utilisation.reply, words),
    panelFailure(utilisation, words),
  )
}

function renderSelected(): void {
  const section = byId('selected')
  section.hidden = state.service === undefined
  if (state.service === undefined) {
    charts?.close()
    charts = undefined
    for (const id of stripIds) releaseSection.showStrip(id, undefined)
    return
  }
  update(
    byId('selected-head'),
    el(
      'div',
      { class: 'section-head' },
      el('h2', { id: 'selected-heading' }, words.text('charts', { service: state.service })),
      el(
        'a',
        { href: formatUrl({ ...state, service: undefined }), 'data-close': true },
        `✕ ${words.text('close')}`,
      ),
    ),
    series.failure === undefined
      ? undefined
      : el(
          'p',
          { class: 'notice warning' },
          `▲ ${words.text('chartsFailed', { reason: failureText(series.failure, words) })}`,
        ),
  )
  const reply = series.reply
  const step = (seconds: number | undefined) => (seconds === undefined ? '…' : words.seconds(seconds))
  byId('requests-caption').textContent = words.text('chartRequests', { step: step(reply?.stepSeconds) })
  byId('errors-caption').textContent = words.text('chartErrors', { step: step(reply?.stepSeconds) })
  byId('latency-caption').textContent = words.text('chartLatency', { step: step(reply?.latencyStepSeconds) })
  if (charts === undefined) void startCharts()
  else drawCharts(charts)
}

function drawCharts(group: ChartGroup): void {
  if (series.reply === undefined) return
  const palette = readPalette(document.documentElement)
  const events = serviceReleases.reply?.items ?? []
  group.show([
    requestsChart(series.reply, events, words, palette),
    errorRatioChart(series.reply, events, words, palette),
    latencyChart(series.reply, events, words, palette),
  ])
  const { service, from, to } = series.reply
  for (const id of stripIds)
    releaseSection.showStrip(id, { service, fromMs: Date.parse(from), toMs: Date.parse(to) })
}

async function startCharts(): Promise<void> {
  if (chartsOpening) return
  chartsOpening = true
  try {
    const group = await openCharts(['requests-chart', 'errors-chart', 'latency-chart'].map(byId), 'service')
    // The reader may have closed the panel while ECharts was on its way.
    if (state.service === undefined) group.close()
    else {
      charts = group
      drawCharts(group)
    }
  } catch (error) {
    series.failure = error
  } finally {
    chartsOpening = false
  }
}

function renderTrace(): void {
  const view = byId('trace-view')
  document.querySelector('.lower')?.classList.toggle('with-trace', trace.reply !== undefined)
  if (trace.notAnId === true) {
    update(view, el('p', { class: 'notice warning' }, `▲ ${words.text('traceNotAnId')}`))
  } else if (trace.id === undefined) {
    update(view)
  } else if (trace.failure !== undefined) {
    const { failure } = trace
    const text = isNotFound(failure)
      ? words.text('traceNotFound', { id: trace.id })
      : words.text('traceFailed', { reason: failureText(failure, words) })
    update(view, el('p', { class: 'notice warning' }, `▲ ${text}`))
  } else if (trace.reply === undefined) {
    update(view, el('p', { class: 'muted' }, words.text('traceLoading', { id: trace.id })))
  } else if (trace.reply.spans.length === 0) {
    update(view, el('p', { class: 'notice warning' }, `▲ ${words.text('traceNotFound', { id: trace.id })}`))
  } else {
    update(view, traceView(trace.reply, Date.now(), words))
  }
  if (scrollToTrace && services.reply !== undefined && trace.reply !== undefined) {
    scrollToTrace = false
    byId('trace').scrollIntoView()
  }
}

// State, language, theme

function formatUrl(next: PageState): string {
  return `${location.pathname}${formatPageState(next)}`
}

function linkTo(service: string): string {
  return formatUrl({ ...state, service })
}

/** Shows another view and remembers the one before for the browser's back button, but not every letter typed. */
function show(change: Partial<PageState>, isTyped = false): void {
  const next = { ...state, ...change }
  if (isTyped) history.replaceState(undefined, '', formatUrl(next))
  else if (formatPageState(next) !== formatPageState(state)) history.pushState(undefined, '', formatUrl(next))
  apply(next)
}

function apply(next: PageState): void {
  const before = state
  state = next
  if (next.service !== before.service || next.from !== before.from || next.to !== before.to) {
    // Lines of another service or range must not stand under the new heading, not even for a moment.
    delete series.reply
    delete series.failure
    delete serviceReleases.reply
    charts?.close()
    charts = undefined
    refresh.now()
  }
  if (next.trace !== before.trace) {
    ;(byId('trace-id') as HTMLInputElement).value = next.trace ?? ''
    scrollToTrace = next.trace !== undefined
    void loadTrace()
  }
  render()
}

function speak(next: Language): void {
  language = next
  words = buildWords(next)
  remember('surety.language', next)
  state = { ...state, language: next }
  history.replaceState(undefined, '', formatUrl(state))
  render()
  renderTrace()
}

function dress(): void {
  const dark = theme === 'dark' || (theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light'
}

function readTheme(text: string | undefined): Theme {
  return text === 'light' || text === 'dark' ? text : 'auto'
}

// A browser may refuse storage; a choice is then forgotten with the page, which is no reason to fail.

function remembered(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined
  } catch {
    return undefined
  }
}

function tokenOfTab(): string {
  try {
    return sessionStorage.getItem('surety.token') ?? ''
  } catch {
    return ''
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch {}
}

// Wiring

dress()
;(byId('trace-id') as HTMLInputElement).value = state.trace ?? ''
render()
renderTrace()

const refresh = startRefresh({
  intervalMs: refreshMs,
  retryMaxMs,
  load,
  onFailure(error, retryInMs) {
    trouble = { error, retryInMs }
    render()
  },
  isHidden: () => document.hidden,
  watchVisibility(changed) {
    document.addEventListener('visibilitychange', changed)
    return () => document.removeEventListener('visibilitychange', changed)
  },
})
void loadTrace()

document.addEventListener('click', (event) => {
  if (isModifiedClick(event)) return
  if (!(event.target instanceof Element)) return
  const target = event.target.closest<HTMLElement>(
    '[data-close], [data-service], [data-trace], [data-from], [data-language]',
  )
  if (target === null) return
  // Somebody who marks text to copy it does not mean to open the row.
  if (target.tagName === 'TR' && getSelection()?.isCollapsed === false) return
  event.preventDefault()
  const { service, trace: traceId, from, language: chosen } = target.dataset
  if (target.hasAttribute('data-close')) show({ service: undefined })
  else if (service !== undefined) show({ service })
  else if (traceId !== undefined) show({ trace: traceId })
  else if (from !== undefined) show({ from, to: 'now' })
  else if (chosen !== undefined) speak(chooseLanguage(chosen, undefined, []))
})

byId('theme').addEventListener('click', () => {
  theme = ({ auto: 'dark', dark: 'light', light: 'auto' } as const)[theme]
  remember('surety.theme', theme)
  dress()
  render()
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  dress()
  render()
})

void signIn.load()

byId('token-form').addEventListener('submit', (event) => {
  event.preventDefault()
  token = (byId('token') as HTMLInputElement).value.trim()
  try {
    sessionStorage.setItem('surety.token', token)
  } catch {}
  askAgain()
})

byId('trace-form').addEventListener('submit', (event) => {
  event.preventDefault()
  const pasted = (byId('trace-id') as HTMLInputElement).value.trim()
  const next = pasted === '' ? undefined : (parseTraceId(pasted) ?? pasted)
  // Asking again for the same id is a wish to look again: late spans may have arrived.
  if (next === state.trace) void loadTrace()
  else show({ trace: next })
})

document.addEventListener('keydown', (event) => {
  // Whoever closed something with this key has had it.
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
  const focused = document.activeElement
  if (focused instanceof HTMLInputElement) return
  if (event.key === '/') {
    event.preventDefault()
    byId('trace-id').focus()
  } else if (event.key === 'Escape' && state.service !== undefined) {
    show({ service: undefined })
  } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    const row = focused?.closest('.services tbody tr, .slos tbody tr, .faults tbody tr')
    const next = event.key === 'ArrowDown' ? row?.nextElementSibling : row?.previousElementSibling
    const link = next?.querySelector<HTMLElement>('th a')
    if (link == null) return
    event.preventDefault()
    link.focus()
  }
})

window.addEventListener('popstate', () => {
  const next = parsePageState(location.search)
  const spoken = chooseLanguage(next.language, remembered('surety.language'), navigator.languages)
  if (spoken !== language) {
    language = spoken
    words = buildWords(spoken)
    renderTrace()
  }
  apply(next)
})
