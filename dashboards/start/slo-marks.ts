// How the state of an SLO and the tier of a system look, the same everywhere: shape and word carry it, colour repeats it.

import type { Condition, SloItem } from '../../query/http/slo-schemas.ts'
import type { TextKey } from '../i18n/en.ts'
import type { Words } from '../i18n/words.ts'
import { el } from './dom.ts'

type Level = 'critical' | 'bad' | 'warning' | 'ok' | 'quiet'

export const conditionMarks: Readonly<
  Record<Condition, { readonly mark: string; readonly label: TextKey; readonly level: Level }>
> = {
  outage: { mark: '■', label: 'conditionOutage', level: 'critical' },
  'burning-fast': { mark: '◆', label: 'conditionBurningFast', level: 'bad' },
  'burning-slow': { mark: '▲', label: 'conditionBurningSlow', level: 'warning' },
  error: { mark: '✕', label: 'conditionError', level: 'warning' },
  'no-data': { mark: '◌', label: 'conditionNoData', level: 'quiet' },
  excluded: { mark: '◇', label: 'conditionExcluded', level: 'quiet' },
  exhausted: { mark: '▼', label: 'conditionExhausted', level: 'warning' },
  'insufficient-events': { mark: '△', label: 'conditionInsufficientEvents', level: 'warning' },
  'no-traffic': { mark: '○', label: 'conditionNoTraffic', level: 'quiet' },
  healthy: { mark: '●', label: 'conditionHealthy', level: 'ok' },
}

/** The state in shape, word and colour; an outage is filled. */
export function conditionBadge(condition: Condition, words: Words): HTMLElement {
  const { mark, label, level } = conditionMarks[condition]
  return el(
    'span',
    { class: `condition ${level}` },
    el('span', { class: 'mark', 'aria-hidden': 'true' }, mark),
    words.text(label),
  )
}

const tierKeys = { critical: 'tierCritical', general: 'tierGeneral', office: 'tierOffice' } as const

export function tierBadge(tier: SloItem['tier'], words: Words): HTMLElement {
  return tier === null
    ? el('span', { class: 'tier none', title: words.text('tierHint') }, words.text('noTier'))
    : el('span', { class: `tier ${tier}`, title: words.text('tierHint') }, words.text(tierKeys[tier]))
}
