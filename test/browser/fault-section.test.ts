// Releases and faults of the start page in a real browser, on canned replies of the API.

import type { FastifyInstance } from 'fastify'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openChromium } from '../support/browser.ts'
import { openWatchedPage } from '../support/watched-page.ts'
import { buildFaultServer, type FaultScene } from '../support/fault-scene.ts'

const hostile = '<img src=x onerror="document.title=\'injected\';alert(1)">'

let browser: Browser
let server: FastifyInstance
let context: BrowserContext
let page: Page
let address: string
let scene: FaultScene
let complaints: readonly string[]

beforeAll(async () => {
  browser = await openChromium()
})

afterAll(() => browser.close())

beforeEach(async () => {
  scene = { hasFaults: true, isDown: false, hostile, releases: 0 }
  server = await buildFaultServer(scene)
  address = await server.listen({ host: '127.0.0.1', port: 0 })
  ;({ context, page, complaints } = await openWatchedPage(browser, { width: 1280, height: 800 }))
})

afterEach(async () => {
  await context.close()
  await server.close()
})

const faultRows = () => page.locator('table.faults tbody tr')
const view = () => page.locator('#fault-view')
const detail = () => page.locator('#release-detail')

describe('faults', () => {
  test('running ones stand first, each with its answer in words and its likeliest cause', async () => {
    await page.goto(address)
    await faultRows().first().waitFor()
    expect(await faultRows().first().innerText()).toMatch(
      /■\s*a release caused it\s+transfer POST \/transfers · errors\s+channel counter, region 0531 · SLO transfer-availability\s+Transfers: 12% fail, 94% likely[^]+limit 1\.10\.0 94%[^]+lasts/,
    )
    expect(await faultRows().last().innerText()).toMatch(/○\s*no release[^]+–[^]+over · for 12 min/)
    expect(complaints).toEqual([])
  })

  test('without any the page says so', async () => {
    scene.hasFaults = false
    await page.goto(address)
    await page.getByText('No fault was found in the last 24 h.').waitFor()
    expect(complaints).toEqual([])
  })

  test('opens by keyboard with the answer first, names the right release, exonerates the others, and closes again', async () => {
    await page.goto(address)
    await faultRows().first().getByRole('link').focus()
    await page.keyboard.press('Enter')
    await view().getByRole('heading', { name: 'Fault: transfer POST /transfers · errors' }).waitFor()
    expect(new URL(page.url()).searchParams.get('fault')).toBe('f1')
    expect(await page.evaluate('document.activeElement.id')).toBe('fault-view-heading')
    await view().locator('#fault-headline').waitFor()
    const text = await view().innerText()
    const order = [
      'Transfers: 12% fail, 94% likely caused by limit 1.10.0',
      'Withdraw the gray rule of limit 1.10.0 (branch 0531-01, 0531-02) to 1.9.2',
      'Expected to relieve 97% of the excess.',
      'Surety suggests and takes nothing back itself.',
      'Ranked causes',
      '⚑ limit 1.10.0',
      '38.2% of exposed requests failed (412 of 1,078)',
      'Exonerated',
      'Requests that met it fail as often',
      'It began to serve after the onset.',
      'Other explanations',
      'Errors are in all zones alike.',
      'Who is hit',
      '421 bad requests, 403 more than usual.',
      'Call chain',
      'Traces to compare',
      'Count it yourself',
      'Decisions so far',
    ].map((piece) => ({ piece, at: text.indexOf(piece) }))
    expect(order.filter(({ at }) => at < 0)).toEqual([])
    expect(order.map(({ at }) => at)).toEqual(order.map(({ at }) => at).toSorted((a, b) => a - b))
    expect(await view().getByRole('table', { name: 'Exposed against control' }).innerText()).toMatch(
      /exposed\s+412\s+1,078\s+38\.2%\s+not exposed\s+9\s+3,240\s+0\.28%/,
    )
    expect(await view().locator('.chain li.origin').innerText()).toMatch(/ledger[^]+begins here/)
    await page.keyboard.press('Escape')
    await expect.poll(() => view().isVisible()).toBe(false)
    expect(await page.evaluate('document.activeElement.closest("tr").dataset.fault')).toBe('f1')
    expect(complaints).toEqual([])
  })

  test('speak Chinese as they speak English', async () => {
    await page.goto(`${address}/?fault=f1&lang=zh-CN`)
    await view().getByText('转账失败率 12%，94% 可能由 limit 1.10.0').waitFor()
    for (const piece of ['建议回退', '根因排序', '已排除', '其他解释', '影响范围', '调用链', '历次判定'])
      await view().getByRole('heading', { name: piece }).waitFor()
    await view().getByText('在故障开始之后才开始服务。').waitFor()
    expect(await view().innerText()).not.toMatch(/Ranked|exposed|Speaks/)
    expect(complaints).toEqual([])
  })

  test('that no release caused name what did and suggest nothing', async () => {
    await page.goto(`${address}/?fault=f2`)
    await view().getByText('no release caused it, the site did (97%)').waitFor()
    await view().getByText('Taking a release back is not suggested.').waitFor()
    await view().getByText('No release was near enough in time and place to be a candidate.').waitFor()
    expect(await view().getByRole('table', { name: 'Other explanations' }).innerText()).toMatch(
      /97%\s+site sh-a/,
    )
    expect(await view().locator('.cause').count()).toBe(2)
  })

  test('that cannot be told yet say what would decide and what is missing', async () => {
    await page.goto(`${address}/?fault=f3`)
    await view().getByText('What would decide: ').waitFor()
    await view().getByText('Twelve more minutes of traffic').waitFor()
    await view().getByText('(about 12 min of traffic are missing)').waitFor()
    await view().getByText('the store has no derived minutes of this time yet').waitFor()
    expect(await view().locator('.cause').count()).toBe(0)
  })

  test('a trace of the evidence opens below, and the statement can be copied', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.goto(`${address}/?fault=f1`)
    await view().getByText('Exposed and not exposed, by minute').click()
    await view().getByRole('button', { name: 'Copy' }).click()
    await view().getByRole('button', { name: 'Copied' }).waitFor()
    expect(await page.evaluate('navigator.clipboard.readText()')).toContain("has(path, 'limit@1.10.0')")
    await view().getByRole('link', { name: '0af7651916cd' }).click()
    await expect
      .poll(() => new URL(page.url()).searchParams.get('trace'))
      .toBe('0af7651916cd43dd8448eb211c80319c')
  })

  test('an unknown one is said to be, and an API that fails leaves the last answer', async () => {
    await page.goto(`${address}/?fault=nobody`)
    await view().getByText('There is no such fault').waitFor()
    await faultRows().first().waitFor()
    scene.isDown = true
    await page.locator('#faults').getByText('Not refreshed: The store is busy. (SURETY_STORE_BUSY)').waitFor()
    expect(await faultRows().count()).toBe(3)
  })

  test('hostile names stay text', async () => {
    await page.goto(`${address}/?fault=f1&release=r-hostile`)
    await view().getByText(`⚑ ${hostile} 7.2.0`).waitFor()
    await detail()
      .getByRole('heading', { name: `Release ${hostile}` })
      .waitFor()
    expect(await page.locator('img').count()).toBe(0)
    expect(await page.title()).not.toBe('injected')
    expect(complaints).toEqual([])
  })
})

describe('releases under the charts', () => {
  const strip = (id: string) => page.locator(`#${id}-strip`)

  test('stand under every chart on its time axis, with verdict, words and gray stretches', async () => {
    await page.goto(`${address}/?service=transfer`)
    for (const id of ['requests', 'errors', 'latency']) {
      await strip(id).locator('.release-marker').nth(3).waitFor()
      expect(await strip(id).locator('.release-lane').count()).toBe(2)
      expect(await strip(id).locator('.release-band').count()).toBe(2)
    }
    const own = strip('errors').locator('.release-lane').first()
    const marker = own.getByRole('link', { name: /transfer 2\.14\.0.*10% of requests.*● Not worse after/ })
    await marker.waitFor()
    await marker.hover()
    expect(await marker.locator('.tip').innerText()).toMatch(
      /transfer 2\.14\.0 \(from 2\.13\.4\)\s+core-payment · code · serving\s+10% of requests\s+[\d:]+\s+● Not worse/,
    )
    // Nine of fifteen minutes ago: four tenths of the axis, which begins 52 px from the left of the chart.
    const [chart, mark] = [await page.locator('#errors-chart').boundingBox(), await marker.boundingBox()]
    if (chart === null || mark === null) throw new Error('the chart has gone')
    const share = (mark.x + mark.width / 2 - chart.x - 52) / (chart.width - 52 - 14)
    expect(share).toBeCloseTo(0.4, 1)
    expect(complaints).toEqual([])
  })

  test('stand under the burn chart of an SLO, too', async () => {
    await page.goto(`${address}/?slo=gateway-latency`)
    await strip('burn').locator('.release-marker').first().waitFor()
    expect(complaints).toEqual([])
  })

  test('hundreds become few markers, and each can still be reached', async () => {
    scene.releases = 120
    await page.goto(`${address}/?service=transfer`)
    const cluster = strip('requests').locator('.release-cluster')
    await cluster.first().waitFor()
    await cluster.first().locator('summary').click()
    await cluster.first().getByRole('link', { name: 'ledger 3.119.0' }).click()
    await detail().getByRole('heading', { name: 'Release ledger 3.119.0' }).waitFor()
    expect(complaints).toEqual([])
  })

  test('open their details: verdict per measure, steps, parameters, remarks, the faults they are blamed for', async () => {
    await page.goto(`${address}/?service=transfer`)
    await strip('requests')
      .getByRole('link', { name: /limit 1\.10\.0/ })
      .first()
      .focus()
    await page.keyboard.press('Enter')
    await detail().getByRole('heading', { name: 'Release limit 1.10.0' }).waitFor()
    expect(new URL(page.url()).searchParams.get('release')).toBe('r-limit')
    await detail().getByText('technical: a machine may act on it').waitFor()
    expect(await detail().getByRole('table', { name: 'Release verdict' }).innerText()).toMatch(
      /system errors\s+■ worse\s+38\.2%\s+0\.28%\s+\+37\.9% \(\+31% to \+44%\)[^]+latency\s+● not worse\s+–\s+–\s+−1\.2 ms/,
    )
    expect(await detail().getByRole('table', { name: 'Steps' }).innerText()).toMatch(
      /started[^]+branch 0531-01, 0531-02[^]+noted\s+–\s+aborted: worse\s+<img/,
    )
    expect(await detail().getByRole('table', { name: 'What differs' }).innerText()).toMatch(
      /limit\.daily\.max\s+50000\s+5000[^]+not set/,
    )
    await detail().getByText('Faults it is blamed or suspected for').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => detail().isVisible()).toBe(false)
    expect(complaints).toEqual([])
  })

  test('tell what is odd, who decided otherwise, and that there is no verdict yet', async () => {
    await page.goto(`${address}/?release=r-own`)
    await detail().getByText('Told more than a minute after it served.').waitFor()
    await detail().getByText('wang decided not worse at').waitFor()
    await detail().getByText('cannot be taken back').waitFor()
    await page.goto(`${address}/?release=r-hostile`)
    await detail().getByText('To be told after about 600 more requests (12 min).').waitFor()
    await page.goto(`${address}/?release=r-asked`)
    await detail().getByText('No verdict yet').waitFor()
    await page.goto(`${address}/?release=nobody`)
    await detail().getByText('This release is not in the ledger').waitFor()
    expect(await detail().getByRole('table').count()).toBe(0)
  })
})

test.each([
  { width: 390, height: 844 },
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
])('nothing is cut off sideways at $width × $height', async (size) => {
  await page.setViewportSize(size)
  await page.goto(`${address}/?service=transfer&fault=f1&release=r-limit`)
  await view().getByRole('heading', { name: 'Decisions so far' }).waitFor()
  await detail().getByRole('heading', { name: 'Steps' }).waitFor()
  await page.locator('#requests-strip .release-marker').first().waitFor()
  const overflow = await page.evaluate(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  )
  expect(overflow).toBe(0)
})
