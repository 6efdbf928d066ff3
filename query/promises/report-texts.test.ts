import { expect, test } from 'vitest'
import { cell } from './report-csv.ts'
import { escapeHtml } from './report-html.ts'
import { localTime, percentOf } from './report-texts.ts'

test.each([
  [0.9999999, 4, '99.9999 %'],
  [1, 4, '100.0000 %'],
  [0.999, 4, '99.9000 %'],
  [1 - 0.0001, 2, '99.99 %'],
  [0, 1, '0.0 %'],
  [0.0002, 1, '<0.1 %'],
  [-0.391, 1, '-39.1 %'],
])('%d is %s digits of %s', (ratio, digits, text) => expect(percentOf(ratio, digits)).toBe(text))

test.each([
  ['=1+1', "'=1+1"],
  ['+86 10', "'+86 10"],
  ['-2', "'-2"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "'\t=1"],
  ['＝1', "'＝1"],
  ['say "x", y', '"say ""x"", y"'],
  ['two\nlines', '"two\nlines"'],
  ['=a,b', '"\'=a,b"'],
  ['plain', 'plain'],
])('a text cell %j is written %j', (text, written) => expect(cell(text)).toBe(written))

test('numbers are no texts: a negative one stays a number, and what is not known is empty', () => {
  expect([cell(-2.5), cell(0), cell(null)]).toEqual(['-2.5', '0', ''])
})

test('every character that means something in HTML is escaped', () => {
  expect(escapeHtml(`<a href="x" on='y'>&`)).toBe('&lt;a href=&quot;x&quot; on=&#39;y&#39;&gt;&amp;')
})

test('times are local to the zone of the report', () => {
  expect(localTime('2026-09-30T16:00:00.000Z', 'Asia/Shanghai')).toBe('2026-10-01 00:00:00')
})
