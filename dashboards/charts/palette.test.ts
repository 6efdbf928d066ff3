import { describe, expect, test } from 'vitest'
import { assignHues, byVersion } from './palette.ts'

describe('hues', () => {
  test('a name has its hue in every browser and every release of these pages', () => {
    expect(assignHues(['2.13.9']).get('2.13.9')).toBe(4)
  })

  test('up to eight names get eight different hues, in whatever order they come', () => {
    const names = Array.from({ length: 8 }, (_, index) => `1.${index}.0`)
    const hues = assignHues(names)
    expect(new Set(hues.values()).size).toBe(8)
    expect(assignHues(names.toReversed())).toEqual(hues)
  })

  test('a new version takes no colour from an older one', () => {
    const before = assignHues(['2.9.0', '2.13.9'])
    const after = assignHues(['2.9.0', '2.13.9', '2.14.0'])
    expect(after.get('2.9.0')).toBe(before.get('2.9.0'))
    expect(after.get('2.13.9')).toBe(before.get('2.13.9'))
  })

  test('more than eight names share hues', () => {
    const hues = assignHues(Array.from({ length: 20 }, (_, index) => String(index)))
    expect([...hues.values()].every((hue) => hue >= 0 && hue < 8)).toBe(true)
  })
})

test('versions are ordered by number', () => {
  expect(['2.14.0', '2.9.0', '2.13.10', '2.13.9'].toSorted(byVersion)).toEqual([
    '2.9.0',
    '2.13.9',
    '2.13.10',
    '2.14.0',
  ])
})
