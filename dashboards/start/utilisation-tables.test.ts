import { expect, test } from 'vitest'
import { levelOf, share } from './utilisation-tables.ts'

test.each([
  { used: 1, of: 4, want: 0.25 },
  { used: null, of: 4, want: null },
  { used: 1, of: null, want: null },
  { used: 1, of: 0, want: null },
])('$used of $of is $want', ({ used, of, want }) => expect(share(used, of)).toBe(want))

test.each([
  [null, 'quiet'],
  [0.74, 'ok'],
  [0.75, 'warning'],
  [0.9, 'bad'],
  [1.2, 'bad'],
] as const)('%s is %s', (ratio, want) => expect(levelOf(ratio)).toBe(want))
