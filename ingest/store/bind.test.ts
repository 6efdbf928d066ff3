import { expect, test } from 'vitest'
import { bind } from './bind.ts'

test.each([
  { name: 'a text', sql: 'SELECT {a:String}', value: 'x', want: "SELECT CAST('x', 'String')" },
  {
    name: 'a text with quotes and SQL',
    sql: '{a:String}',
    value: "'; DROP TABLE spans; --",
    want: "CAST('\\'; DROP TABLE spans; --', 'String')",
  },
  { name: 'a text that ends in a backslash', sql: '{a:String}', value: '\\', want: "CAST('\\\\', 'String')" },
  {
    name: 'a blank line and SQL',
    sql: '{a:String}',
    value: '\n\nDROP TABLE spans',
    want: "CAST('\n\nDROP TABLE spans', 'String')",
  },
  {
    name: 'a type with a quoted argument',
    sql: "{a:DateTime('UTC')}",
    value: '2026-01-01 00:00:00',
    want: "CAST('2026-01-01 00:00:00', 'DateTime(\\'UTC\\')')",
  },
  { name: 'a number', sql: '{a:UInt32}', value: 7, want: "CAST('7', 'UInt32')" },
  {
    name: 'a list',
    sql: '{a:Array(String)}',
    value: ["o'r", 'b'],
    want: "CAST(['o\\'r', 'b'], 'Array(String)')",
  },
])('$name binds as a typed literal', ({ sql, value, want }) => {
  expect(bind(sql, { a: value })).toBe(want)
})

test('a value that looks like a placeholder is not bound again', () => {
  expect(bind('{a:String} {b:String}', { a: '{b:String}', b: 'secret' })).toBe(
    "CAST('{b:String}', 'String') CAST('secret', 'String')",
  )
})

test('a missing value is an error that names the placeholder', () => {
  expect(() => bind('{a:String}', {})).toThrow('{a:String}')
})
