// The change effect ledger as CSV by RFC 4180, a line for each release. A byte order mark tells spreadsheets that it is UTF-8.

import type { ChangeItem } from '../http/change-schemas.ts'
import { cell } from '../promises/report-csv.ts'

const COLUMNS: readonly (readonly [keyof ChangeItem, en: string, zh: string])[] = [
  ['release', 'Release', '投产编号'],
  ['name', 'Name', '名称'],
  ['service', 'Service', '服务'],
  ['version', 'Version', '版本'],
  ['system', 'System', '系统'],
  ['team', 'Team', '团队'],
  ['vendor', 'Vendor', '供应商'],
  ['changeType', 'Change', '变更类型'],
  ['state', 'State', '状态'],
  ['readyAt', 'Ready at (UTC)', '就绪时间（UTC）'],
  ['verdict', 'Verdict', '结论'],
  ['isFailure', 'Failed', '是否失败'],
  ['counterfactual', 'Counterfactual', '对照方法'],
  ['lostRequests', 'Requests lost', '损失请求'],
  ['lostMinutes', 'Minutes lost', '损失分钟'],
  ['worseSince', 'Worse since (UTC)', '变差起点（UTC）'],
  ['recoveredAt', 'Recovered at (UTC)', '恢复时间（UTC）'],
  ['recoverySeconds', 'Recovery, s', '恢复用时（秒）'],
  ['leadTimeSeconds', 'Lead time, s', '前置时间（秒）'],
]

export function changeCsv(items: readonly ChangeItem[], lang: 'en' | 'zh-CN'): string {
  const head = COLUMNS.map(([, en, zh]) => (lang === 'en' ? en : zh))
  const yes = lang === 'en' ? ['no', 'yes'] : ['否', '是']
  const rows = items.map((item) =>
    COLUMNS.map(([key]) => {
      const value = item[key]
      if (typeof value === 'boolean') return yes[Number(value)] ?? ''
      return typeof value === 'string' || typeof value === 'number' ? value : null
    }),
  )
  return `\uFEFF${[head, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('')}`
}
