// A time stamp, the same everywhere: local zone, UTC on hover, optionally with its age beside it.

import { absent, type Words } from '../i18n/words.ts'
import { el } from './dom.ts'

/** @param at RFC 3339; an instant that cannot be read is shown as sent */
export function timeStamp(at: string, nowMs: number, words: Words, withAge: boolean): HTMLElement {
  const atMs = Date.parse(at)
  if (Number.isNaN(atMs)) return el('span', {}, at === '' ? absent : at)
  const utc = `${new Date(atMs).toISOString().replace('T', ' ').replace('Z', '')} UTC`
  const stamp = el('time', { datetime: at, title: utc }, words.time(atMs, nowMs))
  return withAge ? el('span', {}, stamp, ' ', el('span', { class: 'muted' }, words.ago(atMs, nowMs))) : stamp
}
