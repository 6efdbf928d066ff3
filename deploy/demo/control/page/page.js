// The control page: shows the state of the bank, read every two seconds, and sends what a person decides. All
// text enters the page as text, never as markup. Plain JavaScript, so that nothing has to be built.

import { SCENARIOS, stepsBack, stepsOf } from './scenarios.js'
import { LANGUAGES, WORDS } from './words.js'

const EVERY_MS = 2_000
const $ = (selector, within = document) => within.querySelector(selector)
const deployForm = $('#deploy')
const faultForm = $('#fault')

let language = startLanguage()
let words = WORDS[language]
let state
/** name of the scenario whose steps are being sent */
let trying
/** services a request of ours is changing */
const asked = new Set()

function startLanguage() {
  const wanted = new URLSearchParams(location.search).get('lang')
  if (LANGUAGES.includes(wanted)) return wanted
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en'
}

/** An element with attributes and children; strings become text. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'onclick') element.addEventListener('click', value)
    else if (value === true) element.setAttribute(name, '')
    else if (value !== false && value !== undefined) element.setAttribute(name, value)
  }
  element.append(...children)
  return element
}

/** Replaces what an element holds and gives the focus back to the button that had it. */
function fill(element, children) {
  const key = element.contains(document.activeElement) ? document.activeElement.dataset.key : undefined
  element.replaceChildren(...children)
  if (key !== undefined) $(`[data-key="${CSS.escape(key)}"]`, element)?.focus()
}

const count = (value) => value.toLocaleString(language)
const percent = (ratio, digits = 0) =>
  ratio.toLocaleString(language, { style: 'percent', maximumFractionDigits: digits })
const clock = (at) => new Date(at).toLocaleTimeString(language, { hour12: false })

function scopeText(scope) {
  return scope === undefined ? '' : words.scopeWords[scope.kind](scope)
}

function faultText(fault) {
  return words.fault(fault, percent(fault.ratio))
}

// Words that do not depend on the state.

function translate() {
  document.documentElement.lang = language
  document.title = words.title
  for (const element of document.querySelectorAll('[data-word]')) {
    element.textContent = words[element.dataset.word]
  }
  const button = $('#language')
  button.textContent = words.otherLanguage
  button.lang = LANGUAGES.find((other) => other !== language)
  drawBranches()
  adaptForm(deployForm)
  adaptForm(faultForm)
  draw()
}

$('#language').addEventListener('click', () => {
  language = LANGUAGES.find((other) => other !== language)
  words = WORDS[language]
  const address = new URL(location.href)
  address.searchParams.set('lang', language)
  history.replaceState(null, '', address)
  translate()
})

// Drawing the state.

function draw() {
  if (state === undefined) return
  const gray = state.services.reduce(
    (sum, service) => sum + service.versions.filter((version) => version.role === 'gray').length,
    0,
  )
  const rate = state.traffic.ratePerSecond.toLocaleString(language, { maximumFractionDigits: 1 })
  setText($('#verdict'), words.verdict(rate, gray, state.faults.length))
  setText($('#footer'), words.footer(state.releaseEvents))
  $('#surety').href = /^https?:/.test(state.suretyUrl) ? state.suretyUrl : '#'
  fill($('#services'), state.services.flatMap(serviceRows))
  fill($('#faults'), faultRows())
  fill($('#scenarios'), scenarioRows())
  fill($('#site-rows'), state.siteStates.map(siteRow))
  const { stressPerSecond } = state.traffic
  setText($('#stress-state'), words.stressState(count(stressPerSecond), stressPerSecond > 0))
  $('#stress-end').disabled = stressPerSecond === 0
  fill($('#actions'), actionRows())
}

/** A live region is read aloud when it is set, so it is set only when it changes. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

function siteRow({ site, state: is }) {
  const isUp = is === 'up'
  return make(
    'li',
    {},
    make('span', { class: isUp ? 'what' : 'what bad' }, `${site} · ${words.siteState[is]}`),
    make(
      'button',
      {
        type: 'button',
        class: isUp ? 'small undo' : 'small',
        'data-key': `site ${site}`,
        'aria-label': (isUp ? words.siteDownOf : words.siteUpOf)(site),
        onclick: () => void send('POST', '/api/sites', { site, state: isUp ? 'down' : 'up' }),
      },
      isUp ? words.siteDown : words.siteUp,
    ),
  )
}

function serviceRows(service) {
  const busy = service.changing || asked.has(service.name)
  return service.versions.map((version, index) => {
    const { requests, rejects, failures } = version.lastMinute
    const idle = version.role === 'previous'
    const cells = [
      index === 0
        ? make('th', { scope: 'row' }, service.name, make('span', { class: 'system' }, service.system))
        : make('td'),
      make('td', { class: version.role === 'gray' ? 'gray' : idle ? 'idle' : '' }, version.version),
      make('td', { class: idle ? 'wraps idle' : 'wraps' }, servesText(service, version)),
      make('td', { class: idle ? 'idle' : '' }, version.sites.join(', ') || '–'),
      make('td', { class: 'figure' }, requests === 0 ? '–' : count(requests)),
      make('td', { class: 'figure' }, share(rejects, requests)),
      make('td', { class: failures / requests > 0.02 ? 'figure bad' : 'figure' }, share(failures, requests)),
      index === 0 ? steps(service, busy) : make('td'),
    ]
    return make('tr', { class: index === 0 ? 'first' : '' }, ...cells)
  })
}

function share(part, whole) {
  return whole === 0 ? '–' : `${count(part)} (${percent(part / whole, 1)})`
}

function servesText(service, version) {
  if (version.role === 'previous') return words.role.previous
  if (version.role === 'gray') return scopeText(version.scope)
  return words.role.base(service.versions.some((other) => other.role === 'gray'))
}

function steps(service, busy) {
  const rollBack = make(
    'button',
    {
      type: 'button',
      class: 'small undo',
      'data-key': `roll-back ${service.name}`,
      'aria-label': words.rollBackOf(service.name),
      disabled: busy || !service.mayRollBack,
      onclick: () => void change(service.name, 'POST', '/api/rollbacks', { service: service.name }),
    },
    busy ? words.working : words.rollBack,
  )
  const deploy = make(
    'button',
    {
      type: 'button',
      class: 'small',
      'data-key': `deploy ${service.name}`,
      'aria-label': words.deployOf(service.name),
      disabled: busy,
      onclick: () => {
        deployForm.elements.service.value = service.name
        suggestVersion()
        adaptForm(deployForm)
        deployForm.elements.version.focus()
      },
    },
    words.deployHere,
  )
  return make('td', { class: 'steps' }, deploy, rollBack)
}

function scenarioRows() {
  const button = (name, text, listed) =>
    make(
      'button',
      {
        type: 'button',
        class: 'small',
        'data-key': `try ${name}`,
        disabled: trying !== undefined,
        onclick: () => void tryAll(name, listed()),
      },
      trying === name ? words.working : text,
    )
  const nextVersion = (name) => serviceNamed(name).nextVersion
  const rows = SCENARIOS.map((name) =>
    make(
      'li',
      {},
      button(name, words.scenarios[name].name, () => stepsOf(name, nextVersion)),
      make('span', { class: 'what' }, words.scenarios[name].does),
    ),
  )
  const back = button('back', words.tryBack, () => stepsBack(state.services))
  return [...rows, make('li', {}, back)]
}

/** One after the other; what the bank refuses is said, and ends it. */
async function tryAll(name, listed) {
  trying = name
  draw()
  for (const { method, path, body } of listed) if (!(await send(method, path, body))) break
  trying = undefined
  draw()
}

function faultRows() {
  if (state.faults.length === 0) return [make('li', { class: 'none' }, words.noFaults)]
  const rows = state.faults.map((fault) =>
    make(
      'li',
      {},
      make('time', { datetime: new Date(fault.since).toISOString() }, clock(fault.since)),
      make('span', { class: 'what' }, `${fault.service}: ${faultText(fault)}`),
      make(
        'button',
        {
          type: 'button',
          class: 'small',
          'data-key': `remove ${fault.id}`,
          'aria-label': words.removeOf(fault.id),
          onclick: () => void send('DELETE', `/api/faults/${encodeURIComponent(fault.id)}`),
        },
        words.remove,
      ),
    ),
  )
  if (state.faults.length < 2) return rows
  const all = make(
    'button',
    {
      type: 'button',
      class: 'small',
      'data-key': 'remove all',
      onclick: () => void send('DELETE', '/api/faults'),
    },
    words.removeAll,
  )
  return [...rows, make('li', {}, make('span', { class: 'what' }), all)]
}

function actionRows() {
  if (state.actions.length === 0) return [make('li', { class: 'none' }, words.noActions)]
  return state.actions.map((action) =>
    make(
      'li',
      {},
      make('time', { datetime: action.at, title: action.at }, clock(action.at)),
      make(
        'span',
        { class: 'what' },
        words.action[action.kind](action, scopeText(action.scope), action.fault && faultText(action.fault)),
      ),
    ),
  )
}

// Forms.

function drawBranches() {
  if (state === undefined) return
  const group = $('#branches')
  const chosen = new Set([...group.querySelectorAll('input:checked')].map((box) => box.value))
  const first = group.children.length === 0
  const regions = [...new Set(state.branches.map((branch) => branch.region))]
  group.setAttribute('aria-label', words.scopeBranch)
  group.replaceChildren(
    ...regions.flatMap((region) => [
      make('span', { class: 'region' }, words.regions[region] ?? region),
      make(
        'div',
        { class: 'of-region' },
        ...state.branches
          .filter((branch) => branch.region === region)
          .map(({ id }, index) => {
            const checked = first ? region === 'east' && index < 3 : chosen.has(id)
            const box = make('input', { type: 'checkbox', name: 'branch', value: id, checked })
            return make('label', {}, box, id)
          }),
      ),
    ]),
  )
}

function fillServices() {
  for (const form of [deployForm, faultForm]) {
    const select = form.elements.service
    select.replaceChildren(...state.services.map(({ name }) => make('option', { value: name }, name)))
    select.value = 'transfer'
  }
  suggestVersion()
  fillSites()
  fillVersions()
}

const serviceNamed = (name) => state?.services.find((service) => service.name === name)

function suggestVersion() {
  const service = serviceNamed(deployForm.elements.service.value)
  if (service !== undefined) deployForm.elements.version.value = service.nextVersion
}

function options(select, any, values) {
  const kept = select.value
  select.replaceChildren(
    make('option', { value: '' }, any),
    ...values.map((value) => make('option', { value }, value)),
  )
  select.value = values.includes(kept) ? kept : ''
}

function fillVersions() {
  const service = serviceNamed(faultForm.elements.service.value)
  const versions = service?.versions.filter(({ role }) => role !== 'previous').map(({ version }) => version)
  options(faultForm.elements.version, words.anyVersion, versions ?? [])
}

function fillSites() {
  options(faultForm.elements.site, words.anySite, state?.sites ?? [])
}

/** Shows the fields a choice needs, and a hint that says what the fault will look like. */
function adaptForm(form) {
  const kind = form.elements.fault.value
  const corrupts = serviceNamed(form.elements.service.value)?.mayCorrupt ?? true
  for (const field of form.querySelectorAll('[data-needs]')) {
    const shown = field.dataset.needs === 'fault' ? kind !== '' : kind === field.dataset.needs
    field.hidden = !shown
    $('input', field).disabled = !shown
  }
  const hint = $('[data-hint]', form)
  hint.textContent = kind === 'wrong-result' && !corrupts ? words.nobodyReads : words.hints[kind]
  hint.hidden = hint.textContent === ''
  if (form === deployForm) {
    const scope = form.elements.scope.value
    $('#branches').hidden = scope !== 'branch'
    $('#percent-field').hidden = scope !== 'weight'
    form.elements.percent.disabled = scope !== 'weight'
  } else {
    fillVersions()
    fillSites()
  }
}

deployForm.addEventListener('change', (event) => {
  if (event.target.name === 'service') suggestVersion()
  adaptForm(deployForm)
})
faultForm.addEventListener('change', () => adaptForm(faultForm))

function faultOf(form) {
  const kind = form.elements.fault.value
  if (kind === '') return undefined
  return {
    kind,
    ratio: Number(form.elements.ratio.value) / 100,
    ...(kind === 'latency' ? { latencyMs: Number(form.elements.latencyMs.value) } : {}),
  }
}

function scopeOf(form) {
  const kind = form.elements.scope.value
  if (kind === 'whole') return { kind }
  if (kind === 'weight') return { kind, percent: Number(form.elements.percent.value) }
  return { kind, branches: [...form.querySelectorAll('[name=branch]:checked')].map((box) => box.value) }
}

deployForm.addEventListener('submit', async (event) => {
  event.preventDefault()
  const service = deployForm.elements.service.value
  const scope = scopeOf(deployForm)
  if (scope.kind === 'branch' && scope.branches.length === 0) return complain(words.noBranch)
  const button = $('button.main', deployForm)
  button.disabled = true
  button.textContent = words.working
  const version = deployForm.elements.version.value.trim()
  await change(service, 'POST', '/api/deployments', { service, version, scope, fault: faultOf(deployForm) })
  button.disabled = false
  button.textContent = words.deploy
  suggestVersion()
})

faultForm.addEventListener('submit', async (event) => {
  event.preventDefault()
  const { service, version, site } = faultForm.elements
  await send('POST', '/api/faults', {
    service: service.value,
    ...(version.value === '' ? {} : { version: version.value }),
    ...(site.value === '' ? {} : { site: site.value }),
    ...faultOf(faultForm),
  })
})

$('#stress').addEventListener('submit', async (event) => {
  event.preventDefault()
  const perSecond = Number($('#stress').elements.perSecond.value)
  await send('POST', '/api/stress', { perSecond })
})
$('#stress-end').addEventListener('click', () => void send('POST', '/api/stress', { perSecond: 0 }))

// Talking to the bank.

function complain(text) {
  const problem = $('#problem')
  problem.hidden = text === undefined
  setText(problem, text ?? '')
}

/** @returns whether the bank did it */
async function send(method, path, body) {
  let isDone = false
  try {
    const response = await fetch(path, {
      method,
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    })
    isDone = response.ok
    complain(isDone ? undefined : (await response.json()).detail)
  } catch {
    complain(words.unreachable)
  }
  await read()
  return isDone
}

async function change(service, method, path, body) {
  asked.add(service)
  draw()
  try {
    await send(method, path, body)
  } finally {
    asked.delete(service)
    draw()
  }
}

let unreachable = false

async function read() {
  try {
    const response = await fetch('/api/state')
    const first = state === undefined
    state = await response.json()
    if (first) {
      fillServices()
      translate()
    } else {
      fillVersions()
      draw()
    }
    if (unreachable) complain()
    unreachable = false
  } catch {
    unreachable = true
    complain(words.unreachable)
  }
}

translate()
await read()
setInterval(() => {
  if (!document.hidden) void read()
}, EVERY_MS)
