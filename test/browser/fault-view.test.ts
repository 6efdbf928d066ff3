// The fault view on Surety itself: traces and release events go in by the doors, an outside alarm is told, and the page names the
// release that did it, or nobody.

import { expect, onTestFinished, test } from 'vitest'
import type { FaultReply } from '../../query/http/fault-schemas.ts'
import type { ReleasesReply } from '../../query/http/release-schemas.ts'
import { faultyRelease, siteFailure, type Story } from '../support/blame-story.ts'
import { openChromium } from '../support/browser.ts'
import { derive } from '../support/derive.ts'
import { eventually, startSurety, type TestSurety } from '../support/surety.ts'

const patienceMs = 240_000

async function told(story: Story): Promise<{ surety: TestSurety; fault: FaultReply }> {
  const surety = await startSurety()
  onTestFinished(() => surety.stop())
  for (const event of [...story.events, ...story.notes]) {
    const reply = await fetch(`${surety.url}/api/v1/releases/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json' },
      body: JSON.stringify(event),
    })
    expect(reply.status).toBe(201)
  }
  for (const body of story.traces) expect((await surety.send(body)).status).toBe(200)
  await eventually(
    () => surety.get<ReleasesReply>('/api/v1/releases?from=-1h'),
    ({ items }) =>
      items.filter(({ readyAt, versionFrom }) => readyAt !== null && versionFrom !== '').length >=
      story.events.length,
    patienceMs,
  )
  // As the ingest role does once minutes have settled. The detector rings while traces come in, so that there may be looks already,
  // at as much as was known; the answer that the page is to show is the first that knows all.
  await derive(surety.store())
  const derivedAt = new Date().toISOString()
  const reply = await fetch(`${surety.url}/api/v1/faults`, {
    method: 'POST',
    headers: { ...surety.asLocal, 'content-type': 'application/json' },
    body: JSON.stringify({
      id: 'alarm-1',
      name: 'transfers fail',
      service: 'counter-bff',
      at: new Date(story.alarmAtMs).toISOString(),
    }),
  })
  const { fault: id } = (await reply.json()) as { fault: string }
  expect(reply.status).toBe(201)
  const fault = await eventually(
    () => surety.get<FaultReply>(`/api/v1/faults/${encodeURIComponent(id)}`),
    ({ explanation }) => explanation !== null && explanation.decidedAt >= derivedAt,
    patienceMs,
  )
  // Whoever looked earlier was not told the opposite.
  for (const { verdict } of fault.decisions) expect(verdict).not.toBe(story.wrong)
  return { surety, fault }
}

async function openPage(url: string) {
  const browser = await openChromium()
  onTestFinished(() => browser.close())
  const page = await (
    await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 800 } })
  ).newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(String(error)))
  await page.goto(url)
  return { page, errors, view: page.locator('#fault-view') }
}

test('a faulty gray release among innocent ones is named in both languages, the others are exonerated, and its branches are to be withdrawn', async () => {
  const { surety, fault } = await told(faultyRelease(Date.now()))
  expect(fault.verdict).toBe('blamed')
  const { page, errors, view } = await openPage(`${surety.url}/?fault=${encodeURIComponent(fault.id)}`)
  await view.locator('#fault-headline', { hasText: /limit .*1\.10\.0/ }).waitFor()
  const first = view.locator('.cause').first()
  expect(await first.innerText()).toContain('limit 1.10.0')
  expect(await first.getByRole('table', { name: 'Exposed against control' }).count()).toBe(1)
  for (const name of ['transfer 2.14.0', 'gateway 4.9.0'])
    await view.locator('.cause', { hasText: name }).locator('.says', { hasText: '●' }).waitFor()
  await view.locator('.steps', { hasText: 'Withdraw the gray rule of limit' }).waitFor()
  await page.getByRole('row', { name: 'counter-bff' }).first().waitFor()
  await page.getByRole('button', { name: '中文' }).click()
  await view.getByRole('heading', { name: '建议回退' }).waitFor()
  expect(await view.locator('#fault-headline').innerText()).toMatch(/limit .*1\.10\.0/)
  expect(await view.locator('#fault-headline').innerText()).toMatch(/\p{Script=Han}/u)

  // Its release stands under the charts of the service that suffers, and opens.
  await page.goto(`${surety.url}/?service=ledger&lang=en`)
  await page
    .locator('#errors-strip')
    .getByRole('link', { name: /limit 1\.10\.0/ })
    .first()
    .click()
  await page.locator('#release-detail').getByRole('heading', { name: 'Release limit 1.10.0' }).waitFor()
  await page.locator('#release-detail').getByText('branch 0531-01, 0531-02').first().waitFor()
  await page.locator('#release-detail').getByText('Faults it is blamed or suspected for').waitFor()
  const steps = page.locator('#release-detail').getByRole('table', { name: 'Steps' })
  expect(await steps.getByRole('row', { name: /noted/ }).innerText()).toMatch(
    /approval accepted · CHG-1043\s+wang\s+\/itsm/,
  )
  await page.getByRole('button', { name: '中文' }).click()
  await page
    .locator('#release-detail')
    .getByRole('row', { name: /备注.*CHG-1043/ })
    .waitFor()
  expect(errors).toEqual([])
}, 600_000)

test('a site that fails while a release runs is blamed on nobody', async () => {
  const { surety, fault } = await told(siteFailure(Date.now()))
  expect(fault.verdict).toBe('not-a-rollout')
  const { errors, view } = await openPage(`${surety.url}/?fault=${encodeURIComponent(fault.id)}`)
  await view.locator('#fault-headline').waitFor()
  await view.getByText('Taking a release back is not suggested.').waitFor()
  const other = view.getByRole('table', { name: 'Other explanations' }).getByRole('row').nth(1)
  expect(await other.innerText()).toMatch(/(?:site|cluster) sh-a/)
  expect(errors).toEqual([])
}, 600_000)
