// The texts of the plain sentences about an SLO, in both languages as equals: same keys, same braces, which the types and
// a test hold. Values in braces are filled in by sentence.ts.

const en = {
  end: '.',
  gap: ' ',

  budgetRolling: 'the {length} budget',
  budgetDay: "today's budget",
  budgetOfDay: 'the {day} budget',
  budgetWeek: "this week's budget",
  budgetOfWeek: 'the budget of the week from {day}',
  budgetMonth: 'the {month} budget',
  budgetQuarter: 'the Q{quarter} budget',
  budgetQuarterOfYear: 'the Q{quarter} {year} budget',
  budgetYear: 'the {year} budget',
  budgetFrom: 'the budget from {date}',
  lengthDays: '{count}-day',
  lengthHours: '{count}-hour',
  lengthMinutes: '{count}-minute',

  outage: 'Outage since {time}: most requests fail',
  burning: 'It burns {rate} times as fast as it may',
  exhaustedIn: 'at this pace {budget} is gone in {duration}',
  lasts: 'at this pace {budget} lasts',
  left: '{percent} of {budget} is left',
  leftUnknown: 'what is left of {budget} is not known',
  overspent: '{budget} is overspent by {percent}',
  spent: '{budget} is spent',
  silent: 'Nothing was heard since {time}',
  neverHeard: 'Nothing was ever heard: check that the selector matches something',
  littleKnown: 'Only {percent} of the time is known, {floor} is needed to say how {budget} stands',
  judgedNext: 'Enough is known now; it is judged with the next slice',
  lastGood: 'at {time} {percent} of {budget} was left',
  failed: 'The question could not be asked since {time} (failed attempts: {count})',
  excluded: 'This time is excluded by agreement',
  tooFew: 'It burns, but on too few events to wake anybody ({bad} bad of {total})',
  noTraffic: 'Nobody asked in the last {duration}',
  frozen: 'It stays as it was, because {reason}',
  frozenNoData: 'too little is known now',
  frozenNoTraffic: 'there is no traffic now',
  frozenExcluded: 'this time is excluded',
  frozenError: 'the question cannot be asked now',

  days: '{count} d',
  hours: '{count} h',
  minutes: '{count} min',
  seconds: '{count} s',
  durationGap: ' ',
} as const

export type SentenceKey = keyof typeof en
export type SentenceTexts = Readonly<Record<SentenceKey, string>>
export type SentenceLanguage = 'zh-CN' | 'en'

const zhCN: SentenceTexts = {
  end: '。',
  gap: '',

  budgetRolling: '{length}错误预算',
  budgetDay: '今日错误预算',
  budgetOfDay: '{day}的错误预算',
  budgetWeek: '本周错误预算',
  budgetOfWeek: '{day}起一周的错误预算',
  budgetMonth: '{month}的错误预算',
  budgetQuarter: '第 {quarter} 季度的错误预算',
  budgetQuarterOfYear: '{year}第 {quarter} 季度的错误预算',
  budgetYear: '{year}的错误预算',
  budgetFrom: '自 {date} 起的错误预算',
  lengthDays: '{count} 天',
  lengthHours: '{count} 小时',
  lengthMinutes: '{count} 分钟',

  outage: '自 {time} 起中断：多数请求失败',
  burning: '消耗速度是允许值的 {rate} 倍',
  exhaustedIn: '按当前速度，{budget}将在 {duration}后耗尽',
  lasts: '按当前速度，{budget}够用',
  left: '{budget}剩余 {percent}',
  leftUnknown: '{budget}的余量未知',
  overspent: '{budget}已超支 {percent}',
  spent: '{budget}已用尽',
  silent: '自 {time} 起没有收到任何数据',
  neverHeard: '从未收到数据：请确认选择条件能匹配到对象',
  littleKnown: '已知时间只占 {percent}，达到 {floor} 才能判断{budget}',
  judgedNext: '已知时间已足够，下一个时间片即可判断',
  lastGood: '{time} 时{budget}剩余 {percent}',
  failed: '自 {time} 起查询失败（已失败 {count} 次）',
  excluded: '当前时间按约定剔除',
  tooFew: '正在消耗，但事件太少，不足以告警（{total} 次中失败 {bad} 次）',
  noTraffic: '最近 {duration}没有请求',
  frozen: '状态保持不变：{reason}',
  frozenNoData: '当前数据不足',
  frozenNoTraffic: '当前没有流量',
  frozenExcluded: '当前时间已剔除',
  frozenError: '当前无法查询',

  days: '{count} 天',
  hours: '{count} 小时',
  minutes: '{count} 分钟',
  seconds: '{count} 秒',
  durationGap: ' ',
}

export const sentenceTexts: Readonly<Record<SentenceLanguage, SentenceTexts>> = { en, 'zh-CN': zhCN }
