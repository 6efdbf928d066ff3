// The SLO report as one page of HTML that needs nothing else: no script, no request, to be read, printed and kept. Every text that
// somebody wrote is escaped.

import type { ReportFigures, ReportItem, ReportSlo, SloReport } from '../http/report-schemas.ts'
import { REPORT_CSS } from './report-css.ts'
import {
  countOf,
  groupText,
  localTime,
  percentOf,
  reportText,
  type ReportLanguage,
  type ReportTextKey,
} from './report-texts.ts'

type Say = (key: ReportTextKey, values?: Readonly<Record<string, string>>) => string
type Page = {
  readonly report: SloReport
  readonly language: ReportLanguage
  readonly say: Say
  readonly at: (instant: string) => string
}

export function reportHtml(report: SloReport, language: ReportLanguage): string {
  const say: Say = (key, values) => escapeHtml(reportText(language, key, values))
  const at = (instant: string) => escapeHtml(localTime(instant, report.timeZone))
  const page: Page = { report, language, say, at }
  const title = `${say('title')} ${escapeHtml(report.period)}`
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${REPORT_CSS}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<dl>
<div><dt>${say('period')}</dt><dd>${at(report.from)} – ${at(report.to)}</dd></div>
<div><dt>${say('zone')}</dt><dd>${escapeHtml(report.timeZone)}</dd></div>
<div><dt>${say('countedTo')}</dt><dd>${at(report.countedTo)}</dd></div>
<div><dt>${say('madeAt')}</dt><dd>${at(report.madeAt)}</dd></div>
</dl>
${notices(page)}
</header>
<main>
${summary(page)}
${report.slos.map((slo) => details(page, slo)).join('\n')}
${unmeasured(page)}
</main>
</body>
</html>
`
}

function notices({ report, say, at }: Page): string {
  const lines = [
    ...(report.countedTo <= report.from ? [say('notBegun')] : []),
    ...(!report.isOver && report.countedTo > report.from
      ? [say('notOver', { at: at(report.countedTo) })]
      : []),
    ...(report.areTransitionsCut ? [say('cut')] : []),
  ]
  const told = lines.map((line) => `<p class="notice">${line}</p>`).join('\n')
  return `${told}\n<p class="hint">${say('both')}</p>`
}

const COLUMNS = [
  'slo',
  'target',
  'sli',
  'good',
  'total',
  'bad',
  'allowed',
  'spent',
  'remaining',
  'coverage',
  'badMinutes',
  'outages',
] as const satisfies readonly ReportTextKey[]

function summary(page: Page): string {
  const { report, say } = page
  if (report.slos.length === 0) return `<p>${say('none')}</p>`
  const head = COLUMNS.map(
    (key, place) => `<th scope="col"${place === 0 ? '' : ' class="number"'}>${say(key)}</th>`,
  )
  const rows = report.slos.flatMap((slo, place) =>
    slo.items.map((item) => summaryRow(page, slo, place, item)),
  )
  return `<table class="summary">
<thead><tr>${head.join('')}</tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>`
}

function summaryRow(page: Page, slo: ReportSlo, place: number, item: ReportItem): string {
  const { language } = page
  const { withExclusions: net, withoutExclusions: gross } = item
  const outages = item.transitions.filter(({ subject, to }) => subject === 'outage' && to === 'firing').length
  const count = (value: number) => escapeHtml(countOf(value, language))
  const two = (of: (figures: ReportFigures) => string) =>
    `<td class="number">${of(net)}<br><span class="gross">${of(gross)}</span></td>`
  const budget = (part: 'allowed' | 'spent') => (figures: ReportFigures) =>
    figures.budget === null ? '–' : count(figures.budget[part])
  const isMissed = net.sliRatio !== null && net.sliRatio < item.target
  const label = [item.objectiveName, groupText(item.group, item.groupKey)]
    .filter((text) => text !== '')
    .join(' · ')
  return `<tr${isMissed ? ' class="missed"' : ''}>
<th scope="row"><a href="#slo-${place}">${escapeHtml(slo.displayName)}</a>${label === '' ? '' : `<br><span class="group">${escapeHtml(label)}</span>`}</th>
<td class="number">${escapeHtml(percentText(item.target))}</td>
${two((figures) => sliText(page, figures))}
${two(({ good }) => count(good))}
${two(({ total }) => count(total))}
${two(({ bad }) => count(bad))}
${two(budget('allowed'))}
${two(budget('spent'))}
${two((figures) => leftText(page, figures))}
${two(({ coverage }) => (coverage === null ? '–' : escapeHtml(percentOf(coverage, 1))))}
<td class="number">${count(item.badMinutes)}<br><span class="gross">${count(item.badMinutesWithoutExclusions)}</span></td>
<td class="number">${count(outages)}</td>
</tr>`
}

const sliText = ({ say }: Page, { kind, sliRatio }: ReportFigures) =>
  sliRatio === null ? say(`kind.${kind}`) : `<span class="sli">${escapeHtml(percentOf(sliRatio))}</span>`

function leftText({ say, language }: Page, { budget }: ReportFigures): string {
  if (budget === null) return '–'
  const text = `${escapeHtml(countOf(budget.remaining, language))} (${escapeHtml(percentOf(budget.remainingRatio, 1))})`
  return budget.isEstimate ? `${text} <i>${say('estimate')}</i>` : text
}

/** A target as it was written. */
const percentText = (ratio: number) => `${Number((ratio * 100).toFixed(10))} %`

function details(page: Page, slo: ReportSlo, place = page.report.slos.indexOf(slo)): string {
  const { say, at } = page
  const [first] = slo.items
  const known = slo.items.flatMap(({ knownFrom }) => (knownFrom === null ? [] : [knownFrom])).toSorted()[0]
  const facts: readonly (readonly [ReportTextKey, string])[] = [
    ['slo', escapeHtml(slo.slo)],
    ['service', escapeHtml(slo.service)],
    ['system', escapeHtml(slo.system ?? '–')],
    ['owner', escapeHtml(slo.owner ?? '–')],
    ['tier', slo.tier === null ? '–' : say(`tier.${slo.tier}` as ReportTextKey)],
    ['window', escapeHtml(slo.windowText)],
    ['method', escapeHtml(first?.budgetingMethod ?? '–')],
    ['unit', first === undefined ? '–' : say(first.unit)],
    ['missingData', say(`missing.${slo.missingData}`)],
    ['coverageFloor', escapeHtml(percentOf(slo.coverageFloor, 1))],
    ['knownFrom', known === undefined ? '–' : at(known)],
    ['generation', String(slo.generation)],
  ]
  return `<section id="slo-${place}">
<h2>${escapeHtml(slo.displayName)}</h2>
${slo.description === '' ? '' : `<p>${escapeHtml(slo.description)}</p>`}
<dl class="facts">${facts.map(([key, text]) => `<div><dt>${say(key)}</dt><dd>${text}</dd></div>`).join('')}</dl>
<h3>${say('exclusions')}</h3>
${exclusions(page, slo)}
<h3>${say('transitions')}</h3>
${transitions(page, slo)}
<h3>${say('generationChanges')}</h3>
${changes(page, slo)}
<h3>${say('question')}</h3>
${slo.questions.map(({ text }) => `<pre>${escapeHtml(text)}</pre>`).join('\n')}
<h3>${say('definition')}</h3>
<pre>${escapeHtml(JSON.stringify(slo.definition, null, 1))}</pre>
</section>`
}

function exclusions({ say, at }: Page, slo: ReportSlo): string {
  if (slo.exclusions.length === 0) return `<p>${say('noExclusions')}</p>`
  const head = (['name', 'reason', 'approver', 'ticket', 'stretches', 'enteredAt'] as const).map(
    (key) => `<th scope="col">${say(key)}</th>`,
  )
  const rows = slo.exclusions.map(({ name, reason, approver, ticket, enteredAt, stretches, isCut }) => {
    const times = stretches.map(
      ({ from, to, isRetroactive }) =>
        `${at(from)} – ${at(to)}${isRetroactive ? ` <strong>${say('retroactive')}</strong>` : ''}`,
    )
    return `<tr><td>${escapeHtml(name)}</td><td>${escapeHtml(reason)}</td><td>${escapeHtml(approver)}</td><td>${escapeHtml(ticket)}</td><td>${times.join('<br>')}${isCut ? '<br>…' : ''}</td><td>${at(enteredAt)}</td></tr>`
  })
  return `<table><thead><tr>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table>`
}

function transitions({ say, at }: Page, slo: ReportSlo): string {
  const lines = slo.items.flatMap((item) =>
    item.transitions.map((one) => ({
      ...one,
      label: [item.objectiveName, groupText(item.group, item.groupKey)]
        .filter((text) => text !== '')
        .join(' · '),
    })),
  )
  if (lines.length === 0) return `<p>${say('noTransitions')}</p>`
  const items = lines
    .toSorted((a, b) => (a.at < b.at ? -1 : 1))
    .map(
      ({ at: instant, subject, to, label }) =>
        `<li>${at(instant)} ${say(`change.${subject}.${to}` as ReportTextKey)}${label === '' ? '' : ` (${escapeHtml(label)})`}</li>`,
    )
  return `<ul>${items.join('')}</ul>`
}

function changes({ say, at }: Page, slo: ReportSlo): string {
  if (slo.generationChanges.length === 0) return `<p>${say('noGenerationChanges')}</p>`
  const items = slo.generationChanges.map(({ at: instant, from, to, actor, reason }) => {
    const words = { at: at(instant), to: String(to), actor, reason: reason === '' ? '' : `(${reason})` }
    return `<li>${from === null ? say('generationBegan', words) : say('generationChanged', { ...words, from: String(from) })}</li>`
  })
  return `<ul>${items.join('')}</ul>`
}

function unmeasured({ report, say }: Page): string {
  if (report.unmeasured.length === 0) return ''
  const items = report.unmeasured.map(
    ({ slo, reasons }) => `<li>${escapeHtml(slo)}: ${escapeHtml(reasons.join('; '))}</li>`,
  )
  return `<section><h2>${say('unmeasured')}</h2><ul>${items.join('')}</ul></section>`
}

export const escapeHtml = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
