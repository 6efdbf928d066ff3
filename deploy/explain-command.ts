// `surety explain`: a fault and what it is blamed on, for a terminal. Talks to the running Surety.

import { ConfigError } from '../ingest/runtime/config.ts'
import type { FaultReply, FaultsReply } from '../query/http/fault-schemas.ts'
import { buildApiClient } from './api-client.ts'
import { explanationText, faultsText, LANGUAGES, type Language } from './explanation-text.ts'

export const EXPLAIN_HELP = `surety explain [FAULT] [--json] [--lang en|zh]

What a fault is blamed on, and why: the answer in a sentence, candidates with their evidence terms (log-likelihood ratios), those
that are exonerated with the reason, what else it may be, and what to roll back. Without FAULT it lists the faults of the last
24 hours. --json prints what GET /api/v1/faults/FAULT answers. Asks the Surety at SURETY_URL (http://127.0.0.1:8080).
Ends with 0, or 1 when there is no such fault.`

export const EXPLAIN_OPTIONS = { json: { type: 'boolean' }, lang: { type: 'string' } } as const

export async function explainCommand(
  values: Readonly<Record<string, string | boolean | undefined>>,
  words: readonly string[],
): Promise<number> {
  const [id, ...more] = words
  const language = languageOf(values['lang'])
  if (more.length > 0)
    throw new ConfigError([`explain: «${more.join(' ')}» is a word too many; one fault at a time`])
  const api = buildApiClient(process.env)
  const answer =
    id === undefined
      ? await api.get<FaultsReply>('/api/v1/faults')
      : await api.get<FaultReply>(`/api/v1/faults/${encodeURIComponent(id)}`)
  if (values['json'] === true) console.log(JSON.stringify(answer, undefined, 2))
  else console.log('items' in answer ? faultsText(answer, language) : explanationText(answer, language))
  return 0
}

/** @throws ConfigError */
function languageOf(given: string | boolean | undefined): Language {
  const language = LANGUAGES.find((one) => one === (given ?? 'en'))
  if (language === undefined)
    throw new ConfigError([`--lang: «${String(given)}» is none of ${LANGUAGES.join(', ')}`])
  return language
}
