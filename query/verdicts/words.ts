// What a verdict says, in Chinese and English, from its figures. Pure; whoever shows a text escapes it.

import type { Told } from '../http/fault-schemas.ts'
import type { NOT_FLAGGED_REASONS, ReleaseVerdictWord } from '../http/release-schemas.ts'
import type { LatencyShift } from './judge-latency.ts'
import type { RatioJudgement } from './judge-ratio.ts'
import type { ChangeJudgement, SignatureJudgement } from './judge-others.ts'
import type { RatioMeasure } from './measures.ts'
import type { Comparison } from './strata.ts'

export const REASON_TEXTS: Readonly<Record<(typeof NOT_FLAGGED_REASONS)[number], Told>> = {
  'error-not-new': {
    en: 'Not flagged: earlier versions showed this error, too.',
    zh: '未标记：此错误在之前的版本中已出现。',
  },
  'few-and-transient': {
    en: 'Not flagged: few of them, and only for a moment.',
    zh: '未标记：数量少且转瞬即逝。',
  },
  'too-few-earlier-releases': {
    en: 'Not flagged: too few earlier releases are known to say what is usual.',
    zh: '未标记：已知的历史投产太少，无法判断是否常见。',
  },
  'not-significantly-higher': {
    en: 'Not flagged: more than in the control, but no more than chance explains.',
    zh: '未标记：虽高于对照，但未超出随机波动。',
  },
  'usual-during-releases': {
    en: 'Not flagged: this comes with every release of the service.',
    zh: '未标记：该服务每次投产时都会出现。',
  },
}

export const percent = (ratio: number): string => {
  const value = ratio * 100
  const digits = Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3
  return `${trimmed(value.toFixed(digits))} %`
}
const count = (value: number): string => Math.round(value).toLocaleString('en-US')
const trimmed = (text: string) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text)
const join = (parts: readonly (Told | undefined)[]): Told => {
  const said = parts.filter((part) => part !== undefined)
  return { en: said.map(({ en }) => en).join(' '), zh: said.map(({ zh }) => zh).join('') }
}

const COMPARED: Readonly<Record<Comparison['control'], Told>> = {
  'old-version': {
    en: 'the version before, in the same minutes, operations and cells',
    zh: '同一分钟、同一操作、同一单元内的旧版本',
  },
  'outside-scope': {
    en: 'those outside the scope, before and after (difference in differences)',
    zh: '灰度范围之外的请求，前后对比（双重差分）',
  },
  'untouched-entries': {
    en: 'entries that never touch the service, before and after (a weak control)',
    zh: '不经过该服务的入口，前后对比（对照较弱）',
  },
  none: { en: 'the time before alone: there is no control', zh: '仅与投产前对比：没有对照组' },
}

export function ratioText(measure: RatioMeasure, judged: RatioJudgement, comparison: Comparison): Told {
  const { exposed, control } = judged.contrast
  const ratio = exposed.requests === 0 ? 0 : exposed.bad / exposed.requests
  const expected = Math.max(0, ratio - judged.difference)
  const against = COMPARED[comparison.control]
  const figures: Told = {
    en: `${measure.en}: ${percent(ratio)} (${count(exposed.bad)} of ${count(exposed.requests)}) where ${percent(expected)} was to be expected by ${against.en} (${count(control.bad)} of ${count(control.requests)}).`,
    zh: `${measure.zh}：${percent(ratio)}（${count(exposed.requests)} 笔中 ${count(exposed.bad)} 笔），按${against.zh}（${count(control.requests)} 笔中 ${count(control.bad)} 笔）应为 ${percent(expected)}。`,
  }
  const bound: Told =
    judged.verdict === 'worse'
      ? {
          en: `Worse: by ${percent(Math.max(0, judged.low))} at the least, beyond chance at any look.`,
          zh: `变差：至少高出 ${percent(Math.max(0, judged.low))}，任何时刻查看均超出随机波动。`,
        }
      : judged.verdict === 'not-worse'
        ? {
            en: `Not worse: at most ${percent(Math.max(0, judged.high))} more, within the margin of ${percent(judged.margin)}.`,
            zh: `未变差：至多高出 ${percent(Math.max(0, judged.high))}，在容许界限 ${percent(judged.margin)} 之内。`,
          }
        : {
            en: `Cannot tell: it may still be ${percent(Math.max(0, judged.high))} more; the margin is ${percent(judged.margin)}.`,
            zh: `尚不能判断：最多可能高出 ${percent(Math.max(0, judged.high))}，容许界限为 ${percent(judged.margin)}。`,
          }
  const step: Told | undefined = judged.isStepUncontrolled
    ? {
        en: 'It rose right after the release, but without a control nobody can say that the release did it.',
        zh: '投产后立即升高，但没有对照组，无法断定由投产引起。',
      }
    : undefined
  return join([figures, bound, step, ...judged.reasons.map((reason) => REASON_TEXTS[reason])])
}

/** What is said of slow requests, with what the quantiles did. */
export function withShift(text: Told, { quantiles, isMoved }: LatencyShift): Told {
  const ms = (value: number) => `${trimmed(value.toFixed(value < 100 ? 1 : 0))} ms`
  const told = quantiles
    .map(
      ({ quantile, exposedMs, controlMs }) =>
        `p${Math.round(quantile * 100)} ${ms(controlMs)} → ${ms(exposedMs)}`,
    )
    .join(', ')
  return join([
    text,
    { en: `${told}.`, zh: `${told}。` },
    isMoved
      ? { en: 'The whole distribution moved, beyond chance.', zh: '整体分布变慢，超出随机波动。' }
      : undefined,
  ])
}

export function signaturesText(judged: SignatureJudgement): Told {
  if (judged.newOnes === 0)
    return { en: 'No error signature that was not there before.', zh: '没有新的错误特征。' }
  const name = judged.worst === undefined ? '' : named(judged.worst.type, judged.worst.message)
  const figures: Told = {
    en: `${judged.newOnes} new error ${judged.newOnes === 1 ? 'signature' : 'signatures'}; most frequent: ${name} (${count(judged.worstCount)} times).`,
    zh: `新错误特征 ${judged.newOnes} 个，最多的是 ${name}（${count(judged.worstCount)} 次）。`,
  }
  const said: Told | undefined =
    judged.verdict === 'worse'
      ? {
          en: 'Worse: only the new version shows it, again and again.',
          zh: '变差：只有新版本反复出现此错误。',
        }
      : undefined
  return join([figures, said, ...judged.reasons.map((reason) => REASON_TEXTS[reason])])
}

const named = (type: string, message: string) =>
  [type, message]
    .filter((text) => text !== '')
    .join(': ')
    .slice(0, 200)

export function lostText(judged: ChangeJudgement | undefined): Told {
  if (judged === undefined)
    return {
      en: 'Requests lost: cannot be told where everybody is in scope, or without enough minutes before and after.',
      zh: '请求丢失：全量投产或前后分钟数不足时无法判断。',
    }
  return {
    en: `Requests of those in scope, set against the others: ${signed(judged.change)} (${signed(judged.low)} to ${signed(judged.high)}). ${WORDS[judged.verdict].en}.`,
    zh: `范围内请求量相对其他请求的变化：${signed(judged.change)}（${signed(judged.low)} 至 ${signed(judged.high)}）。${WORDS[judged.verdict].zh}。`,
  }
}

export function resourcesText(judged: ChangeJudgement | undefined): Told {
  if (judged === undefined)
    return {
      en: 'Resources per request: no metrics tell them apart by version.',
      zh: '单笔资源消耗：没有按版本区分的指标。',
    }
  return {
    en: `CPU time per request, set against other versions: ${signed(judged.change)} (${signed(judged.low)} to ${signed(judged.high)}). ${WORDS[judged.verdict].en}.`,
    zh: `单笔 CPU 时间相对其他版本：${signed(judged.change)}（${signed(judged.low)} 至 ${signed(judged.high)}）。${WORDS[judged.verdict].zh}。`,
  }
}

const signed = (part: number) =>
  Number.isFinite(part) ? `${part >= 0 ? '+' : '−'}${percent(Math.abs(part))}` : '–'

export const WORDS: Readonly<Record<ReleaseVerdictWord, Told>> = {
  worse: { en: 'Worse', zh: '变差' },
  'not-worse': { en: 'Not worse', zh: '未变差' },
  'cannot-tell': { en: 'Cannot tell yet', zh: '尚不能判断' },
}

export type Headline = {
  readonly verdict: ReleaseVerdictWord
  readonly fault: 'technical' | 'business' | null
  readonly name: string
  /** Measures that are worse, or that cannot be told. */
  readonly measures: readonly Told[]
  readonly requestsMissing: number | null
  readonly minutesMissing: number | null
  readonly control: Comparison['control'] | undefined
  readonly isSelfSelected: boolean
}

export function headline(told: Headline): Told {
  const { name, verdict, fault, measures, requestsMissing, minutesMissing } = told
  const en = measures.map((one) => one.en.toLowerCase()).join(', ')
  const zh = measures.map((one) => one.zh).join('、')
  const cautious: Told | undefined =
    verdict !== 'cannot-tell' && told.control === 'none'
      ? {
          en: 'Cautious: it is compared with the time before alone.',
          zh: '谨慎结论：仅与投产前对比。',
        }
      : verdict !== 'cannot-tell' && told.control === 'untouched-entries'
        ? {
            en: 'Cautious: nobody is on the version before; others served as the control.',
            zh: '谨慎结论：已无旧版本流量，以其他入口作对照。',
          }
        : told.isSelfSelected
          ? {
              en: 'A header decides who is exposed: only an effect beyond what such people may differ by counts.',
              zh: '由请求头决定是否命中：仅当差异超过人群自身差异时才计入。',
            }
          : undefined
  if (verdict === 'worse')
    return join([
      {
        en: `${name} is worse: ${en} (${fault === 'business' ? 'business fault; a person decides which versions to take back' : 'technical fault; a machine may act on it'}).`,
        zh: `${name} 变差：${zh}（${fault === 'business' ? '业务故障，由人决定回退哪些版本' : '系统故障，可自动处置'}）。`,
      },
      cautious,
    ])
  if (verdict === 'not-worse')
    return join([
      { en: `${name} is not worse than what served before.`, zh: `${name} 未比之前的版本变差。` },
      cautious,
    ])
  const missing: Told =
    requestsMissing === null
      ? { en: '', zh: '' }
      : {
          en: ` About ${count(requestsMissing)} requests on it are missing${minutesMissing === null ? '; none come at present' : `, ${count(minutesMissing)} minutes at the present pace`}.`,
          zh: `还差约 ${count(requestsMissing)} 笔请求${minutesMissing === null ? '，目前没有流量' : `，按当前流量约 ${count(minutesMissing)} 分钟`}。`,
        }
  return {
    en: `${name}: cannot tell yet${en === '' ? '' : ` (${en})`}.${missing.en}`,
    zh: `${name}：尚不能判断${zh === '' ? '' : `（${zh}）`}。${missing.zh}`,
  }
}

export const notServed = (name: string): Told => ({
  en: `${name}: cannot tell yet. No request on it was seen.`,
  zh: `${name}：尚不能判断，尚未看到其流量。`,
})

export const tooEarly = (name: string): Told => ({
  en: `${name}: cannot tell yet. Its first minute is left out, and nothing has come since.`,
  zh: `${name}：尚不能判断，首分钟不计入，其后尚无流量。`,
})
