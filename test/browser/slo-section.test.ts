// The SLOs of the start page in a real browser, on canned replies of the API and once on the demo bank's definitions.

import type { FastifyInstance } from 'fastify'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { worstFirst } from '../../dashboards/start/slo-order.ts'
import { CONDITIONS } from '../../query/http/slo-schemas.ts'
import { openChromium } from '../support/browser.ts'
import { openWatchedPage } from '../support/watched-page.ts'
import { buildSloServer, type SloScene } from '../support/slo-scene.ts'

const hostile = '<img src=x onerror="document.title=\'injected\';alert(1)">'

let browser: Browser
let server: FastifyInstance
let context: BrowserContext
let page: Page
let address: string
let scene: SloScene
let complaints: readonly string[]

beforeAll(async () => {
  browser = await openChromium()
})

afterAll(() => browser.close())

beforeEach(async () => {
  scene = { isOut: true, isDown: false, count: 0, hostile }
  server = await buildSloServer(scene)
  address = await server.listen({ host: '127.0.0.1', port: 0 })
  ;({ context, page, complaints } = await openWatchedPage(browser, { width: 1440, height: 900 }))
})

afterEach(async () => {
  await context.close()
  await server.close()
})

const rows = () => page.locator('table.slos tbody tr')
const rowNamed = (name: string) => page.getByRole('row', { name })

test('the page orders conditions as the contract does', () => {
  expect([...worstFirst]).toEqual([...CONDITIONS])
})

describe('list of SLOs', () => {
  test('the worst stands first, with its state in words, its overspent budget and what it means', async () => {
    await page.goto(address)
    await rowNamed('Transfers available').waitFor()
    expect(await rows().first().innerText()).toMatch(
      /■\s*outage\s+since[^]+Transfers available\s+transfer-availability\s+transfer\s+core-payment critical\s+▼ 98%\s+target 99\.5%\s+−40%\s+5 min\s+▲ 100×/,
    )
    await rows().first().getByText('Outage since 10:00: most requests fail').waitFor()
    await page.getByRole('status').getByText('2 outage').waitFor()
    // Both figures are told where exclusions make a difference, and what is known where the past is not whole.
    expect(await rowNamed('Mobile bank by calendar month').innerText()).toMatch(
      /99\.63%\s+gross 99\.31%\s+target 99\.5%\s+≈ 26%\s+gross −38%/,
    )
    await rowNamed('Ledger available').getByText(': 43% done.').waitFor()
    await rowNamed('Ledger available').getByText('‖ held').waitFor()
    expect(complaints).toEqual([])
  })

  test('speaks both languages', async () => {
    await page.goto(address)
    await rowNamed('Transfers available').waitFor()
    await page.getByRole('button', { name: '中文' }).click()
    await page.getByRole('heading', { name: '服务等级目标（SLO）' }).waitFor()
    expect(await rows().first().innerText()).toMatch(/中断[^]+core-payment 关键[^]+目标 99\.5%/)
    await rows().first().getByText('自 10:00 起中断：多数请求失败').waitFor()
    await page.getByRole('heading', { name: '系统：本年计划外停机' }).waitFor()
    expect(complaints).toEqual([])
  })

  test('groups are one line with the worst of them, and unfold by keyboard', async () => {
    await page.goto(address)
    const head = rowNamed('Counters by region')
    await head.getByText('worst: region=0755').waitFor()
    const button = head.getByRole('button', { name: '4 groups' })
    expect(await button.getAttribute('aria-expanded')).toBe('false')
    await button.focus()
    await page.keyboard.press('Enter')
    await rowNamed('region=none').waitFor()
    expect(await button.getAttribute('aria-expanded')).toBe('true')
    expect(await page.locator('tr.group').count()).toBe(4)
    expect(await page.locator('tr.group').first().innerText()).toMatch(/outage[^]+region=0755/)
    // It stays unfolded, and keeps its focus, when the list is refreshed.
    await page.waitForResponse((reply) => new URL(reply.url()).pathname === '/api/v1/slos')
    await page.waitForResponse((reply) => new URL(reply.url()).pathname === '/api/v1/slos')
    expect(await page.locator('tr.group').count()).toBe(4)
    expect(await page.evaluate('document.activeElement.dataset.fold')).toBe('counter-by-region\n0')
    await page.keyboard.press('Enter')
    await expect.poll(() => page.locator('tr.group').count()).toBe(0)
    expect(complaints).toEqual([])
  })

  test('a state that changes moves its row within a round', async () => {
    scene.isOut = false
    await page.goto(address)
    await rowNamed('Gateway fast').waitFor()
    expect(await rows().first().innerText()).toContain('Gateway fast')
    scene.isOut = true
    await expect.poll(() => rows().first().innerText()).toContain('Transfers available')
  })

  test('of hundreds the worst twenty are shown, all on demand, and a filter finds one', async () => {
    scene.count = 180
    await page.goto(address)
    await page.getByText('showing the worst 20 of 188').waitFor()
    expect(await rows().count()).toBe(20)
    await page.getByRole('button', { name: 'show all 188' }).click()
    await expect.poll(() => rows().count()).toBe(188)
    expect(new URL(page.url()).searchParams.get('slos')).toBe('all')
    await page.getByRole('button', { name: 'show the worst 20 only' }).click()
    await page.getByRole('searchbox', { name: 'Filter SLOs' }).fill('more-173')
    await expect.poll(() => rows().count()).toBe(1)
    expect(await rows().first().innerText()).toContain('More 173')
    expect(new URL(page.url()).searchParams.get('find')).toBe('more-173')
    await page.getByRole('searchbox', { name: 'Filter SLOs' }).fill('nothing like it')
    await page.getByText('No SLO fits «nothing like it».').waitFor()
    expect(complaints).toEqual([])
  })

  test('when SLOs cannot be read the last ones stay, and the rest of the page goes on', async () => {
    await page.goto(address)
    await rowNamed('Transfers available').waitFor()
    scene.isDown = true
    await page.locator('#slos').getByText('Not refreshed: The store is busy. (SURETY_STORE_BUSY)').waitFor()
    expect(await rows().first().innerText()).toContain('Transfers available')
    await page.locator('#live').getByText('live').waitFor()
    expect(await page.getByRole('alert').count()).toBe(0)
    scene.isDown = false
    await expect.poll(() => page.locator('#slos .notice').count()).toBe(0)
  })
})

describe('details of an SLO', () => {
  test('open by keyboard, explain the row, have an address, and close again', async () => {
    await page.goto(address)
    await rows().first().getByRole('link', { name: 'Transfers available' }).focus()
    await page.keyboard.press('Enter')
    const detail = page.locator('#slo-detail')
    await detail.getByRole('heading', { name: 'Transfers available' }).waitFor()
    expect(new URL(page.url()).searchParams.get('slo')).toBe('transfer-availability')
    expect(await page.evaluate('document.activeElement.id')).toBe('slo-detail-heading')
    await page.locator('#burn-chart canvas').waitFor()
    await detail.getByText('Burn rate by window, last 6 h (points of 1 min)').waitFor()
    await detail.getByText('700 bad events in 14 min spent 140% of the budget.').waitFor()
    expect(await detail.getByRole('table', { name: 'Change' }).innerText()).toMatch(
      /condition\s+healthy → outage[^]+burn pair page-1h\s+inactive → firing[^]+budget\s+available → spent/,
    )
    expect(await detail.getByRole('table', { name: 'Exclusions' }).innerText()).toMatch(
      /Planned release[^]+CHG-2201[^]+▲ retroactive/,
    )
    expect(await rows().first().getAttribute('aria-current')).toBe('true')
    await page.locator('#burn-chart').hover({ position: { x: 300, y: 100 } })
    await page.locator('#burn-chart .tip').getByText('Coverage').first().waitFor()

    await page.reload()
    await detail.getByRole('heading', { name: 'Transfers available' }).waitFor()
    await page.locator('#burn-chart canvas').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => detail.isVisible()).toBe(false)
    expect(new URL(page.url()).searchParams.get('slo')).toBeNull()
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Transfers available')
    expect(complaints).toEqual([])
  })

  test('of a group unfold it in the list', async () => {
    await page.goto(`${address}/?slo=counter-by-region&group=%5B%220755%22%5D`)
    await page
      .locator('#slo-detail')
      .getByRole('heading', { name: 'Counters by region · region=0755' })
      .waitFor()
    expect(await page.locator('tr[aria-current]').last().innerText()).toMatch(/outage[^]+region=0755/)
  })

  test('of something that is not measured say so', async () => {
    await page.goto(`${address}/?slo=account-availability&group=%5B%22nobody%22%5D`)
    await page.getByText('This SLO, or this group of it, is not measured').waitFor()
    expect(await page.locator('#burn-figure').isVisible()).toBe(false)
  })

  test('a service of the list opens the service, not the SLO', async () => {
    await page.goto(address)
    await rows().first().getByRole('link', { name: 'transfer', exact: true }).click()
    await expect.poll(() => new URL(page.url()).searchParams.get('service')).toBe('transfer')
    expect(new URL(page.url()).searchParams.get('slo')).toBeNull()
  })

  test('hostile names stay text', async () => {
    await page.goto(`${address}/?slo=oa`)
    await page.locator('#slo-detail').getByRole('heading', { name: hostile }).waitFor()
    await page.getByRole('cell', { name: hostile }).first().waitFor()
    expect(await page.locator('img').count()).toBe(0)
    expect(complaints).toEqual([])
  })
})

test('systems tell their tier and the minutes they used of the year, the one over its allowance first', async () => {
  await page.goto(address)
  const systems = page.locator('#systems li')
  await systems.first().waitFor()
  expect(await systems.first().innerText()).toMatch(
    /core-payment\s*critical\s*■\s*outage\s*▲ 9\.3 of 5 min over the allowance\s*known from/,
  )
  expect(await systems.filter({ hasText: 'channel-counter' }).innerText()).toMatch(
    /general\s*■\s*outage\s*66\.7 of 600 min/,
  )
  expect(await systems.filter({ hasText: 'service-gateway' }).innerText()).toMatch(
    /critical\s*▲\s*burning slowly\s*0\.5 min/,
  )
  expect(await systems.last().innerText()).toContain('no SLO tells of this system')
  expect(complaints).toEqual([])
})

test('on a phone nothing is cut off sideways', async () => {
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto(`${address}/?slo=transfer-availability`)
  await rowNamed('Transfers available').waitFor()
  await page.locator('#burn-chart canvas').waitFor()
  const overflow = await page.evaluate(
    `[...document.querySelectorAll('#systems, #slos .scroll, #slo-detail-head, #burn-figure')].map((part) => part.scrollWidth - part.clientWidth)`,
  )
  expect(overflow).toEqual([0, 0, 0, 0])
  expect(complaints).toEqual([])
})
