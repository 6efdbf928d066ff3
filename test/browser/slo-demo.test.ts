// The start page on Surety itself with the demo bank's definitions: what is promised there is listed, and a fault is told.

import { randomBytes } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { applyDemoDefinitions } from '../../deploy/demo-definitions.ts'
import { openChromium } from '../support/browser.ts'
import { traceRequest } from '../support/otlp.ts'
import { present } from '../support/present.ts'
import { startSurety } from '../support/surety.ts'

test('the demo bank’s SLOs appear with their tiers, and a service that fails is the first of them', async () => {
  const surety = await startSurety()
  onTestFinished(() => surety.stop())
  await applyDemoDefinitions(present(surety.query))
  const sender = setInterval(() => void surety.send(failing('transfer', 'core-payment', 20)), 1000)
  onTestFinished(() => clearInterval(sender))
  const browser = await openChromium()
  onTestFinished(() => browser.close())
  const page = await (await browser.newContext({ locale: 'en-US' })).newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))

  await page.goto(surety.url)
  for (const name of [
    'Gateway available',
    'Gateway fast',
    'Transfer within the bank',
    'Counters by region',
    'Mobile bank by calendar month',
  ])
    await page.getByRole('link', { name, exact: true }).waitFor()
  await page.locator('#systems li', { hasText: 'core-payment' }).getByText('critical').waitFor()
  const transfer = page.getByRole('row', { name: 'Transfers available' })
  expect(await transfer.innerText()).toMatch(/transfer\s+core-payment critical/)
  expect(await page.getByRole('row', { name: 'Counters by region' }).innerText()).toContain('general')

  await transfer.locator('.condition.critical', { hasText: 'outage' }).waitFor()
  expect(await page.locator('table.slos tbody tr').first().innerText()).toMatch(
    /outage[^]+transfer-availability/,
  )
  await transfer.getByRole('link', { name: 'Transfers available' }).click()
  const detail = page.locator('#slo-detail')
  await detail.getByText('no data → outage').waitFor()
  await detail.getByRole('row', { name: 'POST /transfers' }).waitFor()
  await page.locator('#burn-chart canvas').waitFor()
  expect(await page.locator('#systems .notice, #slos .notice, #slo-detail .notice').allInnerTexts()).toEqual(
    [],
  )
  expect(errors).toEqual([])
})

/** Requests that began just now and failed. */
function failing(service: string, system: string, requests: number): Buffer {
  const nowNs = BigInt(Date.now()) * 1_000_000n
  return traceRequest([
    {
      attributes: {
        'service.name': service,
        'service.version': '2.14.0',
        'bank.system': system,
      },
      spans: Array.from({ length: requests }, () => ({
        traceId: randomBytes(16),
        spanId: randomBytes(8),
        name: 'POST /transfers',
        kind: 2,
        startNs: nowNs - 200_000_000n,
        endNs: nowNs - 100_000_000n,
        attributes: {
          'http.route': '/transfers',
          'http.request.method': 'POST',
          'http.response.status_code': 500,
        },
        statusCode: 2,
      })),
    },
  ])
}
