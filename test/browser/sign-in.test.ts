// Signing in on the start page: the first admin replaces the password that was told once, and signs out again.

import { expect, onTestFinished, test } from 'vitest'
import { openChromium } from '../support/browser.ts'
import { startSurety } from '../support/surety.ts'

test('the page asks who we are, takes a one-time password and its successor, and forgets us', async () => {
  const surety = await startSurety({ SURETY_VISITORS: 'none' })
  onTestFinished(() => surety.stop())
  const { name = '', password = '' } = surety.query?.firstAdmin ?? {}
  const browser = await openChromium()
  onTestFinished(() => browser.close())
  const context = await browser.newContext({ locale: 'en-US' })
  const page = await context.newPage()
  const form = page.locator('#sign-in-form')

  await page.goto(surety.url)
  await page.getByText('Sign in (POST /api/v1/session)').waitFor()
  await form.getByLabel('User').fill(name)
  await form.getByLabel('Password', { exact: true }).fill('wrong')
  await form.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('The name or the password is wrong').waitFor()
  await form.getByLabel('Password', { exact: true }).fill(password)
  await form.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('This password was told once; replace it first.').waitFor()
  await form.getByLabel('New password').fill('too short')
  await form.getByRole('button', { name: 'Change the password' }).click()
  await page.getByText('take at least 12').waitFor()
  await form.getByLabel('New password').fill('correct horse battery')
  await form.getByRole('button', { name: 'Change the password' }).click()
  await page.getByText('No data yet: send OTLP traces to').first().waitFor()
  expect(await form.isVisible()).toBe(false)
  // Scripts of a page cannot read the session.
  expect(await page.evaluate('document.cookie')).toBe('')

  await page.reload()
  await page.getByText('No data yet: send OTLP traces to').first().waitFor()
  await page.getByRole('button', { name: 'Sign out (admin)' }).click()
  await form.getByLabel('User').waitFor()
  expect(await context.cookies()).toEqual([])
})

test('a visitor reads, and may sign in when he wants', async () => {
  const surety = await startSurety()
  onTestFinished(() => surety.stop())
  const browser = await openChromium()
  onTestFinished(() => browser.close())
  const page = await (await browser.newContext({ locale: 'zh-CN' })).newPage()
  await page.goto(surety.url)
  await page.getByText('暂无数据').first().waitFor()
  expect(await page.locator('#sign-in-form').isVisible()).toBe(false)
  await page.getByRole('button', { name: '登录' }).click()
  await page.getByLabel('用户名').waitFor()
})
