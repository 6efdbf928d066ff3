import { expect, test } from 'vitest'
import { shownValue } from '../../runtime/config.ts'
import { hookSecretProblems, ownLock } from './hook-secrets.ts'

test('a secret stands in one place', () => {
  expect(
    hookSecretProblems({ SURETY_GITHUB_WEBHOOK_SECRET: 's', SURETY_GITHUB_WEBHOOK_SECRET_FILE: '/f' }),
  ).toEqual(['SURETY_GITHUB_WEBHOOK_SECRET and SURETY_GITHUB_WEBHOOK_SECRET_FILE: give only one of them'])
  expect(
    hookSecretProblems({ SURETY_GITHUB_WEBHOOK_SECRET: 's', SURETY_GITLAB_WEBHOOK_SECRET_FILE: '/f' }),
  ).toEqual([])
})

test('a door without a secret has no lock', () => {
  expect(ownLock('gitlab', { SURETY_GITHUB_WEBHOOK_SECRET: 's' })).toBeUndefined()
  expect(ownLock('github', { SURETY_GITHUB_WEBHOOK_SECRET: 's' })?.secrets).toEqual(['s'])
})

test('a secret is in no message', () => {
  expect(shownValue('SURETY_KUBERNETES_WEBHOOK_SECRET', 'hunter2')).toBe('(not shown)')
})
