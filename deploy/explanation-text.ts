// A fault's explanation as text for a terminal, in Chinese or English. Pure. What telemetry and tools said is shown as text only: a
// control character in it moves no cursor.

import {
  EVIDENCE_TERMS,
  type FaultItem,
  type FaultReply,
  type FaultsReply,
  type Told,
} from '../query/http/fault-schemas.ts'
import { textTable } from './text-table.ts'

export const LANGUAGES = ['en', 'zh'] as const
export type Language = (typeof LANGUAGES)[number]

const WORDS = {
  en: {
    none: 'No faults in this time.',
    list: ['FAULT', 'ALARM (UTC)', 'OVER', 'SERVICE', 'VERDICT', 'CAUSE', 'HEADLINE'],
    waits: 'It was not explained yet; that takes some seconds.',
    fault: 'fault',
    alarm: 'alarm',
    over: 'over',
    onset: 'onset',
    verdict: 'verdict',
    lasts: 'lasts',
    releases: 'Releases',
    columns: ['RELEASE', 'SERVICE', 'VERSION', 'READY (UTC)', 'POSTERIOR'],
    exonerated: 'exonerated',
    reasons: 'Why',
    set: 'These cannot be told apart',
    competing: 'What else it may be',
    other: ['KIND', 'NAME', 'POSTERIOR', 'LLR', 'WHY'],
    rollback: 'Roll back, in this order',
    underWay: 'A roll-back is under way.',
    relief: 'expected relief',
    blast: 'Hit',
    bad: 'bad requests',
    excess: 'beyond the usual',
    wouldDecide: 'What would decide',
    notes: 'Not counted',
    decisions: 'Decisions',
  },
  zh: {
    none: '这段时间没有故障。',
    list: ['故障', '告警 (UTC)', '结束', '服务', '结论', '原因', '概述'],
    waits: '尚未分析,数秒内完成。',
    fault: '故障',
    alarm: '告警',
    over: '结束',
    onset: '起始',
    verdict: '结论',
    lasts: '持续中',
    releases: '发布',
    columns: ['发布', '服务', '版本', '就绪 (UTC)', '后验概率'],
    exonerated: '已排除',
    reasons: '理由',
    set: '以下发布无法区分',
    competing: '其他可能',
    other: ['类别', '名称', '后验概率', 'LLR', '理由'],
    rollback: '建议按此顺序回退',
    underWay: '正在回退。',
    relief: '预计缓解',
    blast: '影响',
    bad: '失败请求',
    excess: '超出平常',
    wouldDecide: '怎样才能定论',
    notes: '未计入',
    decisions: '历次结论',
  },
} as const

const VERDICTS: Readonly<Record<string, Told>> = {
  blamed: { en: 'blamed on a release', zh: '由发布引起' },
  suspect: { en: 'a release is suspected', zh: '疑似发布引起' },
  'not-a-rollout': { en: 'not a rollout', zh: '非发布引起' },
  inconclusive: { en: 'cannot tell yet', zh: '尚不能判断' },
}

export function faultsText({ items }: FaultsReply, language: Language): string {
  const words = WORDS[language]
  if (items.length === 0) return words.none
  const rows = items.map((item) => [
    item.id,
    second(item.alarmAt),
    item.endedAt === null ? '' : second(item.endedAt),
    plain(item.place.service),
    verdictOf(item, language),
    item.topCause === null ? '' : plain(`${item.topCause.service} ${item.topCause.versionTo}`),
    item.headline === null ? '' : plain(item.headline[language]),
  ])
  return textTable([words.list, ...rows])
}

export function explanationText(fault: FaultReply, language: Language): string {
  const words = WORDS[language]
  const { explanation, place } = fault
  const where = Object.entries(place)
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key} ${plain(value)}`)
  const facts = [
    [
      words.fault,
      `${fault.id} · ${fault.origin} ${plain(fault.name)} · ${fault.measure} · ${where.join(', ')}`,
    ],
    [words.alarm, second(fault.alarmAt)],
    [words.over, fault.endedAt === null ? words.lasts : second(fault.endedAt)],
  ]
  if (explanation === null) return [words.waits, '', textTable(facts)].join('\n')
  const { onset, ranked, competing, rollback, set, blastRadius, wouldDecide } = explanation
  const tell = (told: Told) => plain(told[language])
  facts.push([words.verdict, verdictOf(fault, language)])
  if (onset !== null)
    facts.push([words.onset, `${second(onset.at)} (${second(onset.earliest)} … ${second(onset.latest)})`])
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ['', title, ...lines]
  const candidates = ranked.map((cause) => [
    plain(cause.release),
    plain(cause.service),
    plain(`${cause.versionFrom} → ${cause.versionTo}`),
    cause.readyAt === null ? '–' : second(cause.readyAt),
    percent(cause.posterior),
    ...EVIDENCE_TERMS.map((term) => {
      const found = cause.evidence.find((one) => one.term === term)
      return found === undefined ? '·' : signed(found.llr)
    }),
    cause.isExonerated ? words.exonerated : '',
  ])
  const table =
    candidates.length === 0
      ? []
      : textTable([[...words.columns, ...EVIDENCE_TERMS, ''], ...candidates]).split('\n')
  const others = competing.map(({ kind, name, posterior, llr, text }) => [
    kind,
    plain(name),
    percent(posterior),
    signed(llr),
    tell(text),
  ])
  const hits = [
    `${whole(blastRadius.badRequests)} ${words.bad}, ${whole(blastRadius.excessRequests)} ${words.excess}`,
    ...[blastRadius.channels, blastRadius.regions, blastRadius.branches, blastRadius.transactions]
      .filter((hit) => hit.length > 0)
      .map((hit) => hit.map(({ name, bad }) => `${plain(name)} ${whole(bad)}`).join(', ')),
  ]
  const steps =
    rollback?.steps.map(({ release, text }, index) => `${index + 1}. ${plain(release)}: ${tell(text)}`) ?? []
  const relief = rollback?.expectedReliefRatio ?? null
  return [
    tell(explanation.headline),
    '',
    textTable(facts),
    ...section(words.releases, table),
    ...section(
      words.reasons,
      ranked.map(({ release, reason }) => `${plain(release)}: ${tell(reason)}`),
    ),
    ...section(words.set, set.length > 1 ? [set.map(plain).join(', ')] : []),
    ...section(words.competing, others.length === 0 ? [] : textTable([words.other, ...others]).split('\n')),
    ...section(words.rollback, [
      ...steps,
      ...(steps.length > 0 && relief !== null ? [`${words.relief} ${percent(relief)}`] : []),
      ...(rollback?.warnings ?? []).map((warning) => `! ${tell(warning)}`),
      ...(rollback?.isUnderWay === true ? [words.underWay] : []),
    ]),
    ...section(words.blast, hits),
    ...section(words.wouldDecide, wouldDecide === null ? [] : [tell(wouldDecide)]),
    ...section(words.notes, explanation.notes.map(tell)),
    ...section(
      words.decisions,
      fault.decisions
        .slice(-5)
        .map(
          ({ decidedAt, verdict, top, posterior }) =>
            `${second(decidedAt)} ${verdict}${top === null ? '' : ` ${plain(top)} ${percent(posterior ?? 0)}`}`,
        ),
    ),
  ].join('\n')
}

const verdictOf = ({ verdict }: Pick<FaultItem, 'verdict'>, language: Language) =>
  verdict === null ? '–' : (VERDICTS[verdict]?.[language] ?? verdict)
const second = (instant: string) => instant.slice(0, 19).replace('T', ' ')
const percent = (ratio: number) => `${(100 * ratio).toFixed(1)} %`
const signed = (llr: number) => (llr <= -99 ? 'veto' : `${llr > 0 ? '+' : ''}${llr.toFixed(1)}`)
const whole = (count: number) => String(Math.round(count))
const plain = (text: string) => text.replaceAll(/\p{Cc}+/gu, ' ')
