import { describe, expect, test } from 'vitest'
import { readBundle } from '../bundle.ts'
import { checkObject } from '../kinds.ts'

const WINDOW = { from: '2026-10-20T22:00:00+08:00', to: '2026-10-21T06:00:00+08:00' }
const faultsOf = (spec: object) => {
  const checked = checkObject('release-order', 'night', {}, { window: WINDOW, ...spec })
  return 'faults' in checked ? checked.faults.map(({ path, message }) => `${path.join('.')}: ${message}`) : []
}
const scope = (attribute: string) => ({ selectors: [{ attribute, values: ['x'] }] })

describe('an order that is refused says where and what to do', () => {
  test.each([
    {
      name: 'nothing to release',
      spec: { items: [] },
      want: ['spec.items: has no item; an order releases something'],
    },
    {
      name: 'a service twice',
      spec: { items: [{ service: 'pay' }, { service: 'pay', version: '2' }] },
      want: [
        'spec.items.1: is the same step as items[0] («pay»); leave one out, or give them different environments',
      ],
    },
    {
      name: 'an item that waits for itself',
      spec: {
        items: [
          { service: 'pay', after: ['ledger'] },
          { service: 'ledger', after: ['pay'] },
        ],
      },
      want: [
        'spec.items.1.after: makes a circle: «pay» → «ledger» → «pay»; take one of these out of after, or change its group or order',
      ],
    },
    {
      name: 'an item that waits for a later group',
      spec: {
        items: [
          { service: 'pay', group: 1, after: ['ledger'] },
          { service: 'ledger', group: 2 },
        ],
      },
      want: [
        'spec.items.1.after: makes a circle: «pay» → «ledger» → «pay»; take one of these out of after, or change its group or order',
      ],
    },
    {
      name: 'an item after one that is not there',
      spec: { items: [{ service: 'pay', after: ['leger'] }] },
      want: ['spec.items.0.after.0: names «leger», which is no item of this order; add it, or leave it out'],
    },
    {
      name: 'a gray step twice',
      spec: {
        items: [
          {
            service: 'pay',
            steps: [
              { date: '2026-10-20', scope: scope('branch') },
              { date: '2026-10-22', scope: scope('branch') },
            ],
          },
        ],
      },
      want: ['spec.items.0.steps.1: is the same step as steps[0]; widen the scope, or leave it out'],
    },
    {
      name: 'a window that ends before it begins',
      spec: { window: { from: WINDOW.to, to: WINDOW.from }, items: [{ service: 'pay' }] },
      want: ['spec.window.to: must be later than from'],
    },
    {
      name: 'neither service nor target',
      spec: { items: [{ version: '1' }] },
      want: ['spec.items.0.service: is required, or target for what is no service; give one of the two'],
    },
    {
      name: 'no window',
      spec: { window: undefined, items: [{ service: 'pay' }] },
      want: ['spec.window: is required, or dates; give one of the two'],
    },
  ])('$name', ({ spec, want }) => expect(faultsOf(spec)).toEqual(want))

  test('one that names systems nobody knows is kept', () => {
    expect(faultsOf({ systems: ['从未登记'], items: [{ service: 'pay', system: 'nobody knows' }] })).toEqual(
      [],
    )
  })
})

describe('an order as a table', () => {
  const HEAD = 'order,title,from,to,transactional,service,version,group,after,scope_attribute,scope_values'
  const read = (...rows: readonly string[]) =>
    readBundle([{ file: 'night.csv', text: [HEAD, ...rows].join('\r\n') }], [], () => undefined)
  const FIRST = `n1,"Night, ""big""",${WINDOW.from},${WINDOW.to},是,pay,2.4.1,1,,branch,0531;0532`

  test('is one document an order, one item a row', () => {
    const { objects, problems } = read(
      FIRST,
      'n1,,,,,ledger,1.9,2,pay,,',
      '',
      `n2,,${WINDOW.from},${WINDOW.to},,card,7,,,,`,
    )
    expect(problems).toEqual([])
    expect(objects.map(({ kind, name, spec }) => ({ kind, name, spec }))).toMatchObject([
      {
        kind: 'release-order',
        name: 'n1',
        spec: {
          title: 'Night, "big"',
          window: WINDOW,
          transactional: true,
          items: [
            {
              service: 'pay',
              version: '2.4.1',
              scope: { selectors: [{ attribute: 'branch', values: ['0531', '0532'] }] },
            },
            { service: 'ledger', version: '1.9', group: 2, after: ['pay'] },
          ],
        },
      },
      { name: 'n2', spec: { transactional: false, items: [{ service: 'card', group: 1 }] } },
    ])
  })

  test.each([
    { name: 'a number that is none', rows: [FIRST, 'n1,,,,,ledger,1.9,two,,,'], want: 'night.csv:3 group' },
    { name: 'an item twice', rows: [FIRST, 'n1,,,,,pay,2.4.1,1,,,'], want: 'night.csv:3 row3' },
    {
      name: 'a service that is not in the order',
      rows: [FIRST, 'n1,,,,,ledger,1.9,2,pai,,'],
      want: 'night.csv:3 row3.after',
    },
    { name: 'a row of no order', rows: [FIRST, ',,,,,ledger,1.9,2,,,'], want: 'night.csv:3 order' },
    { name: 'two titles', rows: [FIRST, 'n1,Day,,,,ledger,1.9,2,,,'], want: 'night.csv:3 title' },
    { name: 'a wrong instant', rows: [FIRST.replace(WINDOW.from, 'tonight')], want: 'night.csv:2 row2.from' },
    { name: 'a name that cannot be one', rows: [FIRST.replace('n1', 'n 1')], want: 'night.csv:2 row2.order' },
    { name: 'too many cells', rows: [`${FIRST},x`], want: 'night.csv:2 ' },
  ])('what is wrong is told by row and column: $name', ({ rows, want }) => {
    const { objects, problems } = read(...rows)
    expect(objects).toEqual([])
    expect(problems.map(({ file, line, path }) => `${file}:${line} ${path}`)).toContain(want)
  })

  test('columns that are none, and no columns at all, are told with those that there are', () => {
    const told = (text: string) =>
      readBundle([{ file: 'a.csv', text }], [], () => undefined).problems.map(({ path, remedy }) => ({
        path,
        remedy,
      }))
    expect(told('order,servce\nn1,pay')[0]).toMatchObject({
      path: 'servce',
      remedy: expect.stringContaining('service') as string,
    })
    expect(told('x')).toMatchObject([{ remedy: expect.stringContaining('order, title') as string }])
  })
})
