import { describe, expect, test } from 'vitest'
import { buildWords, chooseLanguage, texts } from './words.ts'

const gaps = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([gap]) => gap).sort()

describe('texts', () => {
  test('both languages have the same keys', () => {
    expect(Object.keys(texts['zh-CN']).sort()).toEqual(Object.keys(texts.en).sort())
  })

  test.each(Object.keys(texts.en) as (keyof typeof texts.en)[])(
    '%s is written in both languages with the same gaps',
    (key) => {
      expect(texts.en[key]).not.toBe('')
      expect(texts['zh-CN'][key]).not.toBe('')
      expect(gaps(texts['zh-CN'][key])).toEqual(gaps(texts.en[key]))
    },
  )

  test('a value with braces is not filled a second time', () => {
    const words = buildWords('en')
    expect(words.text('charts', { service: '{service}' })).toBe('{service}: requests, errors, latency')
  })
})

describe('language', () => {
  test.each([
    { name: 'the URL wins', asked: 'en', kept: 'zh-CN', browser: ['zh-CN'], want: 'en' },
    { name: 'then what was chosen before', asked: undefined, kept: 'zh-CN', browser: ['en'], want: 'zh-CN' },
    { name: 'then the browser', asked: undefined, kept: undefined, browser: ['fr', 'zh-TW'], want: 'zh-CN' },
    { name: 'short forms are understood', asked: 'zh', kept: undefined, browser: [], want: 'zh-CN' },
    { name: 'else English', asked: 'tlh', kept: '', browser: ['fr'], want: 'en' },
  ])('$name', ({ asked, kept, browser, want }) => {
    expect(chooseLanguage(asked, kept, browser)).toBe(want)
  })
})

describe('figures', () => {
  const words = buildWords('en')

  test.each([
    { name: 'no traffic has no ratio', ratio: null, want: '–' },
    { name: 'no error is 0', ratio: 0, want: '0%' },
    { name: 'a trace of errors is not 0', ratio: 0.000_001, want: '<0.01%' },
    { name: 'below 1 % keeps two digits', ratio: 0.003_14, want: '0.31%' },
    { name: 'ordinary', ratio: 0.382_2, want: '38.2%' },
    { name: 'almost all is not all', ratio: 0.9999, want: '>99.9%' },
    { name: 'all', ratio: 1, want: '100%' },
  ])('ratio: $name', ({ ratio, want }) => {
    expect(words.ratio(ratio)).toBe(want)
  })

  test.each([
    [null, '–'],
    [0.42, '0.42 ms'],
    [12.34, '12.3 ms'],
    [1240, '1.24 s'],
    [90_000, '1.5 min'],
  ])('%s ms is written %s', (value, want) => {
    expect(words.milliseconds(value)).toBe(want)
  })

  test.each([
    { name: 'unknown', ratio: null, want: '–' },
    { name: 'a target is written as it was agreed', ratio: 0.999, want: '99.9%' },
    { name: 'four nines', ratio: 0.9999, want: '99.99%' },
    { name: 'just below its target is not rounded up to it', ratio: 0.998_96, want: '99.89%' },
    { name: 'almost all is not all', ratio: 0.999_999_99, want: '99.99999%' },
    { name: 'all', ratio: 1, want: '100%' },
    { name: 'half', ratio: 0.5, want: '50%' },
  ])('SLI: $name', ({ ratio, want }) => {
    expect(words.sli(ratio)).toBe(want)
  })

  test.each([
    { name: 'overspent', ratio: -0.4, want: '−40%' },
    { name: 'overspent a little', ratio: -0.0001, want: '−0.1%' },
    { name: 'spent a little', ratio: 0.9999, want: '>99.9%' },
    { name: 'nothing spent', ratio: 1, want: '100%' },
    { name: 'ordinary', ratio: 0.5036, want: '50.4%' },
    { name: 'hardly anything', ratio: 0.0001, want: '<0.1%' },
  ])('what is left of a budget: $name', ({ ratio, want }) => {
    expect(words.left(ratio)).toBe(want)
  })

  test.each([
    [null, '–'],
    [0, '0×'],
    [0.001, '<0.01×'],
    [0.163, '0.16×'],
    [14.4, '14.4×'],
  ])('a burn rate of %s is written %s', (rate, want) => {
    expect(words.times(rate)).toBe(want)
  })

  test('large figures use k and M in Chinese too', () => {
    expect(buildWords('zh-CN').short(123_456)).toBe('123k')
    expect(buildWords('zh-CN').short(12_300_000)).toBe('12.3M')
  })

  test('an instant ahead of our clock is not a forecast', () => {
    expect(words.ago(5000, 1000)).toBe('0 sec. ago')
    expect(words.ago(0, 200_000)).toBe('3 min. ago')
  })

  test('a long list says how many it leaves out', () => {
    expect(words.list(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more')
    expect(words.list(['a', 'b'], 2)).toBe('a, b')
  })
})
