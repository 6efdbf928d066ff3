// `surety dead-letters`: what was set aside, why, and sending it again. Talks to the running Surety, because one process
// owns the store.

import { buildApiClient, CommandError, type ApiClient } from './api-client.ts'
import { bytesText, textTable } from './text-table.ts'

export const DEAD_LETTERS_HELP = `surety dead-letters list [--limit N] [--reason R] [--since T]
surety dead-letters show ID [--bytes]
surety dead-letters replay ID [--again]
surety dead-letters replay --reason R [--since T] [--limit N] [--again]

Messages that could not be stored, newest first. «show --bytes» writes the message as it was sent to standard output;
the bytes are not masked. «replay» sends a letter through ingest again, for example after a release that can read it,
and marks it; one that was stored is not stored twice unless --again. T is RFC 3339 or relative: 15m, 24h, 7d.
Asks the Surety at SURETY_URL (http://127.0.0.1:8080). Ends with 0, or 1 when something could not be replayed.`

type Letter = {
  readonly id: string
  readonly at: string
  readonly origin: string
  readonly reason: string
  readonly detail: string
  readonly format: string
  readonly bytes: number
  readonly isKept: boolean
  readonly replay: { readonly at: string; readonly result: string; readonly detail: string } | null
}
type Replayed = {
  readonly id: string
  readonly result: string
  readonly rows: number
  readonly detail: string
}
type Values = Readonly<Record<string, string | boolean | undefined>>

const LIST = '/api/v1/dead-letters'
const LIMIT_MAX = 1000

export async function deadLettersCommand(values: Values, words: readonly string[]): Promise<number> {
  const [verb, id, ...rest] = words
  if (rest.length > 0) throw usage(`«${rest.join(' ')}» is a word too many.`)
  if (verb === 'list' && id === undefined) return list(buildApiClient(process.env), values)
  if (verb === 'show' && id !== undefined) return show(buildApiClient(process.env), id, values)
  if (verb === 'replay') return replay(buildApiClient(process.env), id, values)
  throw usage(
    verb === 'show'
      ? '«show» needs the ID of a letter.'
      : `«${words.join(' ')}» is nothing that can be done.`,
  )
}

async function list(api: ApiClient, values: Values): Promise<number> {
  const { items } = await api.get<{ items: Letter[] }>(`${LIST}?${filter(values, 50)}`)
  if (items.length === 0) {
    console.log('No dead letters.')
    return 0
  }
  const rows = items.map((letter) => [
    letter.id,
    letter.at.slice(0, 19).replace('T', ' '),
    letter.reason,
    bytesText(letter.bytes),
    letter.replay?.result ?? '',
    letter.origin,
    oneLine(letter.detail, 80),
  ])
  console.log(textTable([['ID', 'AT (UTC)', 'REASON', 'SIZE', 'REPLAY', 'ORIGIN', 'DETAIL'], ...rows]))
  return 0
}

async function show(api: ApiClient, id: string, values: Values): Promise<number> {
  if (values['bytes'] === true) {
    const payload = await api.bytes(`${LIST}/${encodeURIComponent(id)}/payload`)
    await new Promise<void>((resolve) => process.stdout.write(payload, () => resolve()))
    return 0
  }
  const letter = await api.get<Letter>(`${LIST}/${encodeURIComponent(id)}`)
  const { replay: last } = letter
  console.log(
    textTable([
      ['id', letter.id],
      ['at', letter.at],
      ['origin', letter.origin],
      ['reason', letter.reason],
      ['detail', letter.detail],
      ['format', letter.format],
      ['bytes', `${letter.bytes}${letter.isKept ? '' : ' (not kept)'}`],
      ['replay', last === null ? 'never' : `${last.result} at ${last.at} ${last.detail}`.trim()],
    ]),
  )
  return 0
}

async function replay(api: ApiClient, id: string | undefined, values: Values): Promise<number> {
  if (id === undefined && values['reason'] === undefined) {
    throw usage('«replay» needs the ID of a letter, or --reason for all of a reason.')
  }
  if (id !== undefined && values['reason'] !== undefined)
    throw usage('«replay» takes an ID or --reason, not both.')
  const ids =
    id === undefined
      ? (await api.get<{ items: Letter[] }>(`${LIST}?${filter(values, LIMIT_MAX)}`)).items.map(
          (letter) => letter.id,
        )
      : [id]
  const totals = new Map<string, number>()
  for (const one of ids) {
    const path = `${LIST}/${encodeURIComponent(one)}/replay${values['again'] === true ? '?again=1' : ''}`
    const { result, rows, detail } = await api.post<Replayed>(path)
    totals.set(result, (totals.get(result) ?? 0) + 1)
    console.log(`${one}  ${result}${rows > 0 ? `, ${rows} rows` : ''}${detail === '' ? '' : `: ${detail}`}`)
  }
  const sum = [...totals].map(([result, number]) => `${number} ${result}`).join(', ')
  if (id === undefined) console.log(ids.length === 0 ? 'No dead letters.' : `${ids.length} letters: ${sum}`)
  return totals.has('failed') || totals.has('partial') ? 1 : 0
}

function filter(values: Values, limit: number): string {
  const query = new URLSearchParams({ limit: String(values['limit'] ?? limit) })
  if (typeof values['reason'] === 'string') query.set('reason', values['reason'])
  if (typeof values['since'] === 'string') query.set('since', instant(values['since'], Date.now()))
  return query.toString()
}

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** @throws CommandError */
function instant(text: string, nowMs: number): string {
  const relative = /^-?(\d{1,6})([smhd])$/.exec(text)
  const ms =
    relative === null
      ? Date.parse(text)
      : nowMs - Number(relative[1]) * UNITS_MS[relative[2] as keyof typeof UNITS_MS]
  if (Number.isNaN(ms)) throw usage(`--since «${text}» is neither RFC 3339 nor 15m, 24h, 7d.`)
  return new Date(ms).toISOString()
}

const oneLine = (text: string, length: number) => {
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length <= length ? line : `${line.slice(0, length - 1)}…`
}

const usage = (sentence: string) => new CommandError(`${sentence}\n\n${DEAD_LETTERS_HELP}`)
