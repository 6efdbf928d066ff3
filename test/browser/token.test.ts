// The start page of a Surety that asks for tokens: it asks its reader for one and keeps it for the tab.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hashToken, makeToken } from '../../ingest/runtime/tokens.ts'
import { openChromium } from '../support/browser.ts'
import { startSurety } from '../support/surety.ts'

test('the page asks for a token, shows what it may see, and forgets the token with the tab', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'surety-token-page-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const token = makeToken()
  const file = join(folder, 'tokens.json')
  writeFileSync(file, JSON.stringify([{ name: 'ops', hash: hashToken(token), scopes: ['read'] }]), {
    mode: 0o600,
  })
  const surety = await startSurety({ SURETY_TOKENS_REQUIRED: '1', SURETY_TOKENS_FILE: file })
  onTestFinished(() => surety.stop())
  const browser = await openChromium()
  onTestFinished(() => browser.close())
  const context = await browser.newContext({ locale: 'en-US' })
  const page = await context.newPage()

  await page.goto(surety.url)
  await page.getByText('This door asks for a token').waitFor()
  const field = page.getByLabel('Token with the scope «read»:')
  await field.fill('surety_wrong')
  await page.getByRole('button', { name: 'Use' }).click()
  await page.getByText('The token is not known here').waitFor()
  await field.fill(token)
  await page.getByRole('button', { name: 'Use' }).click()
  await page.getByText('No data yet: send OTLP traces to').first().waitFor()
  expect(await field.isVisible()).toBe(false)

  await page.reload()
  await page.getByText('No data yet: send OTLP traces to').first().waitFor()
  const other = await context.newPage()
  await other.goto(surety.url)
  await other.getByText('This door asks for a token').waitFor()
})
