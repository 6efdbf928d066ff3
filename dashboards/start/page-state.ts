// What the start page shows, as its URL says it: every view can be pasted into a chat. Pure.

export type PageState = {
  readonly service: string | undefined
  /** Start and end of the range as the API takes them. */
  readonly from: string
  readonly to: string
  readonly trace: string | undefined
  readonly language: string | undefined
  /** The SLO whose details are open: its name, objective and groupKey. */
  readonly slo: string | undefined
  readonly objective: number
  readonly group: string
  readonly allSlos: boolean
  /** What the list of SLOs is narrowed to. */
  readonly find: string
  /** The fault and the release whose details are open, by id. */
  readonly fault: string | undefined
  readonly release: string | undefined
}

export const defaultFrom = '-15m'

/** The ranges on offer; any other range comes from a URL. */
export const rangeChoices = [
  { from: '-15m', label: 'range15m' },
  { from: '-1h', label: 'range1h' },
  { from: '-6h', label: 'range6h' },
  { from: '-24h', label: 'range24h' },
] as const

// The API's own rule for an instant. A URL that breaks it falls back to the default, rather than showing an error
// for every panel.
const instant = /^(now|-\d{1,6}[smhd]|\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))$/

export function parsePageState(search: string): PageState {
  const query = new URLSearchParams(search)
  const instantOr = (name: string, otherwise: string) => {
    const value = query.get(name) ?? ''
    return instant.test(value) ? value : otherwise
  }
  return {
    // The API has no address for a service without a name.
    service: query.get('service') || undefined,
    from: instantOr('from', defaultFrom),
    to: instantOr('to', 'now'),
    trace: query.get('trace') ?? undefined,
    language: query.get('lang') ?? undefined,
    slo: query.get('slo') || undefined,
    objective: /^\d{1,4}$/.test(query.get('objective') ?? '') ? Number(query.get('objective')) : 0,
    group: query.get('group') ?? '',
    allSlos: query.get('slos') === 'all',
    find: query.get('find') ?? '',
    fault: query.get('fault') || undefined,
    release: query.get('release') || undefined,
  }
}

/** @returns the search part of the URL, `` or `?…`, without what is default */
export function formatPageState(state: PageState): string {
  const query = new URLSearchParams()
  if (state.service !== undefined) query.set('service', state.service)
  if (state.from !== defaultFrom || state.to !== 'now') query.set('from', state.from)
  if (state.to !== 'now') query.set('to', state.to)
  if (state.trace !== undefined) query.set('trace', state.trace)
  if (state.language !== undefined) query.set('lang', state.language)
  if (state.slo !== undefined) {
    query.set('slo', state.slo)
    if (state.objective !== 0) query.set('objective', String(state.objective))
    if (state.group !== '') query.set('group', state.group)
  }
  if (state.allSlos) query.set('slos', 'all')
  if (state.find !== '') query.set('find', state.find)
  if (state.fault !== undefined) query.set('fault', state.fault)
  if (state.release !== undefined) query.set('release', state.release)
  return query.size === 0 ? '' : `?${query.toString()}`
}

/**
 * The trace id in what somebody pasted: 32 hexadecimal digits, dashed as a UUID, or inside a traceparent header.
 *
 * @returns lower case, or undefined when it is none
 */
export function parseTraceId(pasted: string): string | undefined {
  const text = pasted.trim().toLowerCase()
  const traceparent = /^(?:traceparent:\s*)?[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(text)
  const id = traceparent?.[1] ?? text.replaceAll('-', '')
  return /^[0-9a-f]{32}$/.test(id) ? id : undefined
}
