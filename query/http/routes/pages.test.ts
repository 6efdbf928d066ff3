import { mkdtemp, mkdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { pages } from './pages.ts'

let folder: string
let app: FastifyInstance

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'surety-pages-'))
  await mkdir(join(folder, 'start'))
  await writeFile(
    join(folder, 'index.html'),
    '<!doctype html><meta name="surety-otlp-traces-url" content="" /><title>t</title>',
  )
  await writeFile(
    join(folder, 'main.ts'),
    "import type { A } from '../a.ts'\nexport const one: number = 1 as number\n",
  )
  await writeFile(join(folder, 'main.test.ts'), 'secret')
  await writeFile(join(folder, 'tsconfig.json'), '{}')
  await writeFile(join(folder, 'start', 'table.ts'), `export const rows: string = '${'x'.repeat(4000)}'\n`)
  await writeFile(join(folder, 'theme.css'), 'body{}')
  app = fastify()
  await app.register(pages, {
    dashboardsFolder: pathToFileURL(`${folder}/`),
    otlpTracesUrl: 'http://collector:4318/v1/traces?a="<b>',
  })
})

afterEach(async () => {
  await app.close()
  await rm(folder, { recursive: true })
})

describe('pages', () => {
  test('the page forbids inline script, sniffing and framing', async () => {
    const reply = await app.inject('/')
    expect(reply.statusCode).toBe(200)
    expect(reply.headers['content-type']).toBe('text/html; charset=utf-8')
    const policy = String(reply.headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(reply.headers['x-content-type-options']).toBe('nosniff')
    expect(reply.headers['cache-control']).toBe('no-cache')
  })

  test('the address for OTLP is written into the page as text', async () => {
    const reply = await app.inject('/')
    expect(reply.body).toContain('content="http://collector:4318/v1/traces?a=&quot;&lt;b>"')
  })

  test('a module arrives as JavaScript without its types', async () => {
    const reply = await app.inject('/assets/dashboards/main.ts')
    expect(reply.headers['content-type']).toBe('text/javascript; charset=utf-8')
    expect(reply.body).toMatch(/export const one\s+= 1\s+/)
    expect(reply.body).not.toContain('import')
  })

  test('a style sheet is served as it is', async () => {
    const reply = await app.inject('/assets/dashboards/theme.css')
    expect(reply.headers['content-type']).toBe('text/css; charset=utf-8')
    expect(reply.body).toBe('body{}')
  })

  test.each([
    '/assets/dashboards/main.test.ts',
    '/assets/dashboards/tsconfig.json',
    '/assets/dashboards/index.html',
    '/assets/dashboards/missing.ts',
    '/assets/dashboards/start',
    '/assets/dashboards/main.ts/x.ts',
    '/assets/dashboards/../../package.json',
    '/assets/dashboards/%2e%2e/%2e%2e/query/main.ts',
    '/assets/dashboards/..%2f..%2fquery%2fmain.ts',
    '/assets/dashboards/%2fetc%2fpasswd.ts',
    '/assets/dashboards/start%5c..%5cmain.ts',
    '/assets/dashboards/main.ts%00.css',
  ])('%s is not served', async (url) => {
    expect((await app.inject(url)).statusCode).toBe(404)
  })

  test('an unchanged file is not sent again', async () => {
    const first = await app.inject('/assets/dashboards/main.ts')
    const again = await app.inject({
      url: '/assets/dashboards/main.ts',
      headers: { 'if-none-match': `W/"x", ${first.headers.etag}` },
    })
    expect(again.statusCode).toBe(304)
    expect(again.body).toBe('')
  })

  test('a changed file is read again', async () => {
    const first = await app.inject('/assets/dashboards/main.ts')
    await writeFile(join(folder, 'main.ts'), 'export const two = 2\n')
    await utimes(join(folder, 'main.ts'), 1, 1)
    const second = await app.inject('/assets/dashboards/main.ts')
    expect(second.body).toBe('export const two = 2\n')
    expect(second.headers.etag).not.toBe(first.headers.etag)
  })

  test.each([
    { accept: 'gzip, deflate, br', zipped: true },
    { accept: 'br, gzip;q=0.5', zipped: true },
    { accept: 'gzip;q=0, br', zipped: false },
    { accept: 'identity', zipped: false },
  ])('accept-encoding $accept', async ({ accept, zipped }) => {
    const url = '/assets/dashboards/start/table.ts'
    const plain = await app.inject(url)
    const reply = await app.inject({ url, headers: { 'accept-encoding': accept } })
    expect(reply.headers['content-encoding']).toBe(zipped ? 'gzip' : undefined)
    expect(zipped ? gunzipSync(reply.rawPayload).toString() : reply.body).toBe(plain.body)
    expect(reply.headers.etag === plain.headers.etag).toBe(!zipped)
  })

  test('ECharts comes from this server', async () => {
    const reply = await app.inject('/assets/echarts.js')
    expect(reply.statusCode).toBe(200)
    expect(reply.headers['content-type']).toBe('text/javascript; charset=utf-8')
    expect(reply.body.length).toBeGreaterThan(500_000)
  })
})
