import { createHmac } from 'node:crypto'
import { expect, test } from 'vitest'
import { GITHUB_PROOF, GITLAB_PROOF, TOKEN_PROOF, verifyHook, type HookLock } from './signature.ts'

const BODY = Buffer.from('{"text":"投产 \u0000 \r\n"}')
const signed = (secret: string, body = BODY) =>
  `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
const github: HookLock = { proofs: [GITHUB_PROOF], secrets: ['old', 'new'] }
const own: HookLock = { proofs: [TOKEN_PROOF, GITHUB_PROOF], secrets: ['s'] }

test('the vector that GitHub publishes', () => {
  const lock = { proofs: [GITHUB_PROOF], secrets: ["It's a Secret to Everybody"] }
  const signature = 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17'
  expect(verifyHook(lock, { 'x-hub-signature-256': signature }, Buffer.from('Hello, World!'))).toBe('right')
})

test.each([
  {
    name: 'the newer secret',
    lock: github,
    headers: { 'x-hub-signature-256': signed('new') },
    want: 'right',
  },
  {
    name: 'the older secret',
    lock: github,
    headers: { 'x-hub-signature-256': signed('old') },
    want: 'right',
  },
  {
    name: 'another secret',
    lock: github,
    headers: { 'x-hub-signature-256': signed('other') },
    want: 'wrong',
  },
  {
    name: 'other bytes',
    lock: github,
    headers: { 'x-hub-signature-256': signed('new', Buffer.from('{}')) },
    want: 'wrong',
  },
  {
    name: 'half a signature',
    lock: github,
    headers: { 'x-hub-signature-256': signed('new').slice(0, 40) },
    want: 'wrong',
  },
  {
    name: 'a signature without its prefix',
    lock: github,
    headers: { 'x-hub-signature-256': signed('new').slice(7) },
    want: 'wrong',
  },
  { name: 'SHA-1 alone', lock: github, headers: { 'x-hub-signature': 'sha1=00' }, want: 'missing' },
  { name: 'nothing', lock: github, headers: {}, want: 'missing' },
  {
    name: 'a token',
    lock: { proofs: [GITLAB_PROOF], secrets: ['t'] },
    headers: { 'x-gitlab-token': 't' },
    want: 'right',
  },
  {
    name: 'another token',
    lock: { proofs: [GITLAB_PROOF], secrets: ['t'] },
    headers: { 'x-gitlab-token': 'T' },
    want: 'wrong',
  },
  { name: 'either of two proofs', lock: own, headers: { 'x-hub-signature-256': signed('s') }, want: 'right' },
  {
    name: 'one right beside one wrong',
    lock: own,
    headers: { 'x-surety-token': 's', 'x-hub-signature-256': 'x' },
    want: 'right',
  },
] as const)('$name is $want', ({ lock, headers, want }) => {
  expect(verifyHook(lock, headers, BODY)).toBe(want)
})
