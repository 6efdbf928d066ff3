// The texts of the SLO report in both languages, as equals: same keys, which the types hold.

const en = {
  title: 'SLO report',
  period: 'Period',
  zone: 'Time zone',
  madeAt: 'Made at',
  countedTo: 'Counted to',
  notOver:
    'This period is not over: figures are those until {at}; budgets of events are estimated from the pace so far.',
  notBegun: 'This period has not begun or nothing of it is measured yet.',
  both: 'Each line has two figures: with exclusions applied (what is judged), and below it, in grey, as if nothing were excluded.',
  none: 'No SLO fits.',
  cut: 'There are more transitions than are listed here.',
  slo: 'SLO',
  objective: 'Objective no.',
  objectiveName: 'Objective',
  group: 'Group',
  name: 'Name',
  service: 'Service',
  system: 'System',
  owner: 'Owner',
  tier: 'Tier',
  target: 'Target',
  sli: 'SLI',
  good: 'Good',
  total: 'Total',
  bad: 'Bad',
  allowed: 'Budget allowed',
  spent: 'Budget spent',
  remaining: 'Budget left',
  coverage: 'Known',
  knownFrom: 'Known from',
  badMinutes: 'Bad minutes',
  outages: 'Outages',
  exhausted: 'Budget spent at',
  method: 'Budgeting',
  window: 'SLO window',
  missingData: 'Missing data',
  coverageFloor: 'Coverage floor',
  exclusions: 'Exclusions applied',
  noExclusions: 'Nothing was excluded.',
  reason: 'Reason',
  approver: 'Approved by',
  ticket: 'Change ticket',
  stretches: 'Time',
  enteredAt: 'Entered at',
  retroactive: 'retroactive',
  transitions: 'Outages and spent budgets',
  noTransitions: 'There was no outage, and no budget was spent.',
  generation: 'Question',
  generationChanges: 'Changes of what is asked',
  noGenerationChanges: 'What is asked did not change.',
  generationChanged:
    '{at}: question {from} became {to}, by {actor} {reason}. All figures are of the question as it is now.',
  generationBegan: '{at}: defined, by {actor} {reason}',
  definition: 'Definition as it is executed',
  question: 'What is counted',
  unmeasured: 'Defined, but not measured here',
  estimate: 'estimated',
  events: 'events',
  slices: 'time slices',
  from: 'From',
  to: 'To',
  isOver: 'Over',
  yes: 'yes',
  no: 'no',
  kind: 'State of the figures',
  unit: 'Unit',
  remainingRatio: 'Budget left, ratio',
  applied: 'with exclusions',
  ignored: 'without exclusions',
  'kind.known': 'known',
  'kind.no-data': 'too little is known',
  'kind.no-traffic': 'no traffic',
  'kind.excluded': 'all excluded',
  'missing.freeze': 'says nothing (freeze)',
  'missing.bad': 'counts as bad',
  'missing.good': 'counts as good',
  'missing.ignore': 'is left out (ignore)',
  'change.outage.firing': 'Outage began',
  'change.outage.inactive': 'Outage ended',
  'change.budget.exhausted': 'Budget of the SLO window was spent',
  'change.budget.left': 'Budget of the SLO window came back',
  'tier.critical': 'critical',
  'tier.general': 'general',
  'tier.office': 'office',
} as const

export type ReportTextKey = keyof typeof en
export type ReportLanguage = 'en' | 'zh-CN'

const zhCN: Readonly<Record<ReportTextKey, string>> = {
  title: 'SLO 报告',
  period: '周期',
  zone: '时区',
  madeAt: '生成时间',
  countedTo: '统计截至',
  notOver: '本周期尚未结束：数字统计至 {at}；事件预算按目前速度估算。',
  notBegun: '本周期尚未开始，或尚无任何测量数据。',
  both: '每行有两组数字：上为剔除排除时段后的数字（用于评判），下方灰色为不剔除任何时段的数字。',
  none: '没有符合条件的 SLO。',
  cut: '状态变化过多，此处未全部列出。',
  slo: 'SLO',
  objective: '目标序号',
  objectiveName: '目标名称',
  group: '分组',
  name: '名称',
  service: '服务',
  system: '系统',
  owner: '负责团队',
  tier: '等级',
  target: '目标值',
  sli: 'SLI',
  good: '成功',
  total: '总数',
  bad: '失败',
  allowed: '允许预算',
  spent: '已用预算',
  remaining: '剩余预算',
  coverage: '数据覆盖',
  knownFrom: '数据起始',
  badMinutes: '失败分钟数',
  outages: '中断次数',
  exhausted: '预算耗尽时间',
  method: '预算方法',
  window: 'SLO 窗口',
  missingData: '缺失数据',
  coverageFloor: '覆盖下限',
  exclusions: '已应用的排除时段',
  noExclusions: '没有排除任何时段。',
  reason: '原因',
  approver: '批准人',
  ticket: '变更单号',
  stretches: '时段',
  enteredAt: '登记时间',
  retroactive: '事后补登',
  transitions: '中断与预算耗尽',
  noTransitions: '未发生中断，预算未耗尽。',
  generation: '度量版本',
  generationChanges: '度量内容的变更',
  noGenerationChanges: '度量内容未变更。',
  generationChanged: '{at}：度量版本由 {from} 变为 {to}，操作人 {actor} {reason}。所有数字均按现行度量统计。',
  generationBegan: '{at}：定义创建，操作人 {actor} {reason}',
  definition: '执行中的定义',
  question: '统计语句',
  unmeasured: '已定义但未在此度量',
  estimate: '估算',
  events: '事件',
  slices: '时间片',
  from: '起',
  to: '止',
  isOver: '已结束',
  yes: '是',
  no: '否',
  kind: '数字状态',
  unit: '单位',
  remainingRatio: '剩余预算比例',
  applied: '剔除排除时段',
  ignored: '不剔除',
  'kind.known': '已知',
  'kind.no-data': '数据不足',
  'kind.no-traffic': '无流量',
  'kind.excluded': '全部被排除',
  'missing.freeze': '不作评判（freeze）',
  'missing.bad': '计为失败',
  'missing.good': '计为成功',
  'missing.ignore': '不计入（ignore）',
  'change.outage.firing': '中断开始',
  'change.outage.inactive': '中断结束',
  'change.budget.exhausted': 'SLO 窗口预算耗尽',
  'change.budget.left': 'SLO 窗口预算恢复',
  'tier.critical': '关键业务',
  'tier.general': '一般业务',
  'tier.office': '办公业务',
}

const texts: Readonly<Record<ReportLanguage, Readonly<Record<ReportTextKey, string>>>> = { en, 'zh-CN': zhCN }

export function reportText(
  language: ReportLanguage,
  key: ReportTextKey,
  values: Readonly<Record<string, string>> = {},
): string {
  return texts[language][key].replaceAll(/\{(\w+)\}/g, (gap, name: string) => values[name] ?? gap)
}

/** Local date and time, `2026-10-01 00:00:00`, in the report's zone. */
export const localTime = (instant: string, timeZone: string) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(
    new Date(instant),
  )

/** Cut, never rounded: 99.99996 % is not 100 %, and a little is not nothing. */
export function percentOf(ratio: number, digits = 4): string {
  const scale = 10 ** digits
  // What a subtraction adds behind the twelfth digit is no evidence.
  const cut = Math.floor(Number((ratio * 100 * scale).toFixed(6))) / scale
  return ratio > 0 && cut === 0 ? `<${(1 / scale).toFixed(digits)} %` : `${cut.toFixed(digits)} %`
}

export const countOf = (count: number, language: ReportLanguage) =>
  count.toLocaleString(language, { maximumFractionDigits: count !== 0 && Math.abs(count) < 100 ? 2 : 0 })

/** Values of the group, or what names it. */
export const groupText = (group: Readonly<Record<string, string>> | null, groupKey: string) =>
  group === null
    ? groupKey
    : Object.entries(group)
        .map(([subject, value]) => `${subject}=${value}`)
        .join(', ')
