// Release orders as a table: one row an item, what belongs to the whole order in its first row. Read as documents that know their
// rows, so that everything else is as with YAML.
// Source: RFC 4180; a semicolon or a tab parts columns as well, as spreadsheets of some countries write them.

import type { Source } from '../openslo/documents.ts'
import { pathText, type OpenSloProblem } from '../openslo/problem.ts'
import { API_VERSION } from './api-version.ts'

const ORDER_COLUMNS = {
  title: 'title',
  description: 'description',
  team: 'team',
  from: 'window.from',
  to: 'window.to',
  time_zone: 'timeZone',
  groups: 'groups',
  approver: 'approver',
  ticket: 'ticket',
  rollback_plan: 'rollbackPlan',
  transactional: 'transactional',
  gray_max_days: 'grayMaxDays',
} as const
const ITEM_COLUMNS = {
  service: 'service',
  target: 'target',
  system: 'system',
  environment: 'environment',
  version: 'version',
  change_type: 'changeType',
  group: 'group',
  place: 'order',
  after: 'after',
  scope_attribute: 'scope.attribute',
  scope_values: 'scope.values',
  weight_percent: 'scope.weightPercent',
} as const
const NUMBERS = new Set(['gray_max_days', 'group', 'place', 'weight_percent'])
/** Names the order; rows of one order stand together or apart. */
const KEY = 'order'
const COLUMNS = [KEY, ...Object.keys(ORDER_COLUMNS), ...Object.keys(ITEM_COLUMNS)]
const ROWS_MAX = 20_000

type Row = { readonly line: number; readonly cells: ReadonlyMap<string, string> }

/** @returns one document an order; what is no table gives problems and no document */
export function readOrderCsv(
  text: string,
  file: string,
): { readonly sources: readonly Source[]; readonly problems: readonly OpenSloProblem[] } {
  const problems: OpenSloProblem[] = []
  const tell = (line: number, path: string, message: string, remedy: string) =>
    void problems.push({ severity: 'error', code: 'invalid', file, line, path, message, remedy })
  const [head, ...records] = recordsOf(text.replace(/^\uFEFF/, ''))
  if (head === undefined || !head.cells.some((cell) => cell.trim() === KEY)) {
    tell(1, '', 'has no column «order»', `the first row names columns: ${COLUMNS.join(', ')}`)
    return { sources: [], problems }
  }
  const columns = head.cells.map((cell) => cell.trim().toLowerCase())
  columns.forEach((column, at) => {
    if (!COLUMNS.includes(column))
      tell(head.line, column, 'is no column of a release order', `there are ${COLUMNS.join(', ')}`)
    else if (columns.indexOf(column) < at) tell(head.line, column, 'stands twice', 'leave one out')
  })
  if (records.length > ROWS_MAX)
    tell(head.line, '', `has ${records.length} rows`, `split it; ${ROWS_MAX} are read at once`)
  const orders = new Map<string, Row[]>()
  for (const { line, cells } of records.slice(0, ROWS_MAX)) {
    if (cells.length > columns.length)
      tell(
        line,
        '',
        `has ${cells.length} cells and the first row ${columns.length}`,
        'put a text with commas into quotes',
      )
    const named = new Map(columns.map((column, at) => [column, (cells[at] ?? '').trim()] as const))
    const order = named.get(KEY) ?? ''
    if (order === '') tell(line, KEY, 'is empty', 'every row names its order')
    else orders.set(order, [...(orders.get(order) ?? []), { line, cells: named }])
  }
  const sources = [...orders].map(([order, rows]) => sourceOf(file, order, rows, tell))
  return { sources, problems }
}

type Tell = (line: number, path: string, message: string, remedy: string) => void

function sourceOf(file: string, name: string, rows: readonly Row[], tell: Tell): Source {
  const whole = new Map<string, { readonly value: string; readonly line: number }>()
  for (const { line, cells } of rows)
    for (const column of Object.keys(ORDER_COLUMNS)) {
      const value = cells.get(column) ?? ''
      const known = whole.get(column)
      if (value === '' || known?.value === value) continue
      if (known === undefined) whole.set(column, { value, line })
      else
        tell(
          line,
          column,
          `is «${value}», and «${known.value}» in row ${known.line}`,
          'an order has one; write it in its first row',
        )
    }
  const spec: Record<string, unknown> = {}
  for (const [column, { value, line }] of whole)
    put(spec, ORDER_COLUMNS[column as keyof typeof ORDER_COLUMNS], column, value, line, tell)
  spec['items'] = rows.map(({ line, cells }) => {
    const item: Record<string, unknown> = {}
    for (const [column, path] of Object.entries(ITEM_COLUMNS)) {
      const value = cells.get(column) ?? ''
      if (value !== '' && !path.startsWith('scope.')) put(item, path, column, value, line, tell)
    }
    const scope = scopeOf(cells, line, tell)
    return scope === undefined ? item : { ...item, scope }
  })
  const rowOf = (path: readonly (string | number)[]) => {
    const [, member, at] = path
    const row = member === 'items' && typeof at === 'number' ? rows[at] : undefined
    return row?.line ?? whole.get(columnOf(path))?.line ?? rows[0]?.line ?? 1
  }
  return {
    value: { apiVersion: API_VERSION, kind: 'ReleaseOrder', metadata: { name }, spec },
    file,
    // Told as row and column, which is where people look.
    lineOf: ([row]) => Number(String(row).replace('row', '')),
    origin: (path) => [`row${rowOf(path)}`, columnOf(path)].filter((part) => part !== ''),
  }
}

function put(
  into: Record<string, unknown>,
  path: string,
  column: string,
  value: string,
  line: number,
  tell: Tell,
): void {
  const [member = '', inner] = path.split('.')
  const read = readCell(column, value, line, tell)
  if (inner === undefined) into[member] = read
  else into[member] = { ...(into[member] as object | undefined), [inner]: read }
}

function readCell(column: string, value: string, line: number, tell: Tell): unknown {
  if (column === 'after')
    return value
      .split(/[;|]/)
      .map((name) => name.trim())
      .filter((name) => name !== '')
  if (column === 'transactional') {
    const said = TRUTH.get(value.toLowerCase())
    if (said === undefined) tell(line, column, `is «${value}»`, 'write true or false')
    return said ?? false
  }
  if (!NUMBERS.has(column)) return value
  const number = Number(value.replace(/%$/, ''))
  if (!Number.isNaN(number)) return number
  tell(line, column, `is «${value}»`, 'write a number')
  return 1
}

const TRUTH = new Map([
  ['true', true],
  ['yes', true],
  ['是', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['否', false],
  ['0', false],
])

function scopeOf(cells: Row['cells'], line: number, tell: Tell): object | undefined {
  const [attribute = '', values = '', weight = ''] = [
    'scope_attribute',
    'scope_values',
    'weight_percent',
  ].map((column) => cells.get(column) ?? '')
  if ((attribute === '') !== (values === ''))
    tell(line, attribute === '' ? 'scope_attribute' : 'scope_values', 'is empty', 'a scope has both')
  if (attribute === '' && weight === '') return undefined
  const list = values
    .split(/[;|]/)
    .map((value) => value.trim())
    .filter((value) => value !== '')
  return {
    selectors: attribute === '' ? [] : [{ attribute, values: list }],
    ...(weight === '' ? {} : { weightPercent: readCell('weight_percent', weight, line, tell) }),
  }
}

/** The column that a place of the document came from; empty when it came from none. */
function columnOf(path: readonly (string | number)[]): string {
  const [top, member, at, field] = path
  if (top === 'metadata') return KEY
  if (top !== 'spec' || member === undefined) return ''
  const [columns, wanted] =
    member === 'items' && typeof at === 'number'
      ? ([ITEM_COLUMNS, field] as const)
      : ([ORDER_COLUMNS, typeof at === 'string' ? `${member}.${at}` : member] as const)
  const found = Object.entries(columns).find(
    ([, place]) => place === wanted || place.split('.')[0] === wanted,
  )
  return found?.[0] ?? (wanted === undefined ? '' : pathText([wanted]))
}

type CsvRecord = { readonly line: number; readonly cells: readonly string[] }

/** Rows that are not empty, with the line that each begins on. */
function recordsOf(text: string): CsvRecord[] {
  const head = text.slice(0, text.search(/[\r\n]/) < 0 ? text.length : text.search(/[\r\n]/))
  const separator = [',', ';', '\t'].toSorted((a, b) => head.split(b).length - head.split(a).length)[0] ?? ','
  const records: CsvRecord[] = []
  let cells: string[] = []
  let cell = ''
  let isQuoted = false
  let [line, begun] = [1, 1]
  const endRow = () => {
    cells.push(cell)
    if (cells.some((one) => one.trim() !== '')) records.push({ line: begun, cells })
    cells = []
    cell = ''
    begun = line
  }
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? ''
    if (letter === '\n') line += 1
    if (isQuoted && letter === '"' && text[at + 1] === '"') {
      cell += '"'
      at += 1
    } else if (letter === '"' && (isQuoted || cell.trim() === '')) {
      isQuoted = !isQuoted
      if (isQuoted) cell = ''
    } else if (isQuoted) cell += letter
    else if (letter === separator) {
      cells.push(cell)
      cell = ''
    } else if (letter === '\n') endRow()
    else if (letter !== '\r') cell += letter
  }
  endRow()
  return records
}
