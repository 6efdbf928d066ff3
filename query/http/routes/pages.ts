// The pages a browser opens: index.html, the dashboards' modules with their types stripped, and ECharts. There is
// no build step: a file is read again when it changes. Figures never pass through here; pages ask the API.

import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'

export type PagesOptions = {
  /** Where the empty page tells people to send OTLP traces; by default /v1/traces of the page's own origin. */
  readonly otlpTracesUrl?: string
  /** The folder with index.html and the modules, ending in a slash; by default this repository's dashboards/. */
  readonly dashboardsFolder?: URL
}

// Scripts come from this origin only and never from the page's text, so a service name that smuggles in markup
// has nothing to run. ECharts styles its tooltip through CSSOM, which needs no 'unsafe-inline'.
const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
}

// Lower segments of letters, digits and dashes, then one dot: leaves no room for `..`, dotfiles or *.test.ts.
const assetPath = /^(?:[A-Za-z0-9-]+\/)*[A-Za-z0-9-]+\.(ts|css)$/

// What a browser can keep is not worth squeezing below this size.
const gzipBytesMin = 1024

type Asset = {
  readonly modifiedMs: number
  readonly bytes: number
  readonly type: string
  readonly etag: string
  readonly plain: Buffer
  readonly gzipped: Buffer | undefined
}

const compress = promisify(gzip)

/**
 * Serves `/`, `/assets/dashboards/**` (modules and style sheets, not tests) and `/assets/echarts.js`. Everything
 * is revalidated by ETag, so a new release of Surety shows at once. Routes stay out of the OpenAPI document.
 */
export const pages: FastifyPluginAsync<PagesOptions> = (app, options) => {
  const folder = options.dashboardsFolder ?? new URL('../../../dashboards/', import.meta.url)
  const echartsFile = createRequire(import.meta.url).resolve('echarts/dist/echarts.esm.min.mjs')
  const cache = new Map<string, Asset>()

  const page = (text: string) =>
    text.replace(
      'name="surety-otlp-traces-url" content=""',
      () => `name="surety-otlp-traces-url" content="${escapeAttribute(options.otlpTracesUrl ?? '')}"`,
    )
  const script = (text: string) => stripTypeScriptTypes(text, { mode: 'strip' })
  const asIs = (text: string) => text

  async function send(
    request: FastifyRequest,
    reply: FastifyReply,
    file: string,
    type: string,
    change: (text: string) => string,
  ): Promise<FastifyReply> {
    const asset = await load(cache, file, type, change)
    if (asset === undefined) return notFound(reply)
    const zipped = asset.gzipped !== undefined && acceptsGzip(request.headers['accept-encoding'])
    const etag = zipped ? `"${asset.etag}-gzip"` : `"${asset.etag}"`
    void reply
      .header('etag', etag)
      .header('cache-control', 'no-cache')
      .header('vary', 'accept-encoding')
      .type(asset.type)
    if (mayReuse(request.headers['if-none-match'], etag)) return reply.code(304).send()
    if (zipped) void reply.header('content-encoding', 'gzip')
    return reply.send(zipped ? asset.gzipped : asset.plain)
  }

  app.addHook('onRequest', (_request, reply, done) => {
    void reply.headers(securityHeaders)
    done()
  })

  // Read by @fastify/swagger: pages are no part of the API's description.
  const schema: FastifySchema & { readonly hide: true } = { hide: true }
  // They hold no figures; what they ask of the API needs a token where one is asked for.
  const config = { access: 'open' } as const

  app.get('/', { schema, config }, (request, reply) =>
    send(request, reply, fileURLToPath(new URL('index.html', folder)), 'text/html; charset=utf-8', page),
  )

  app.get<{ Params: { '*': string } }>('/assets/dashboards/*', { schema, config }, (request, reply) => {
    const path = request.params['*']
    const kind = assetPath.exec(path)?.[1]
    if (kind === undefined) return notFound(reply)
    const file = fileURLToPath(new URL(path, folder))
    return kind === 'ts'
      ? send(request, reply, file, 'text/javascript; charset=utf-8', script)
      : send(request, reply, file, 'text/css; charset=utf-8', asIs)
  })

  app.get('/assets/echarts.js', { schema, config }, (request, reply) =>
    send(request, reply, echartsFile, 'text/javascript; charset=utf-8', asIs),
  )

  return Promise.resolve()
}

/** @returns undefined when there is no such file */
async function load(
  cache: Map<string, Asset>,
  file: string,
  type: string,
  change: (text: string) => string,
): Promise<Asset | undefined> {
  const found = await stat(file).catch(absentFile)
  if (found === undefined || !found.isFile()) return undefined
  const kept = cache.get(file)
  if (kept !== undefined && kept.modifiedMs === found.mtimeMs && kept.bytes === found.size) return kept
  const plain = Buffer.from(change(await readFile(file, 'utf8')))
  const asset: Asset = {
    modifiedMs: found.mtimeMs,
    bytes: found.size,
    type,
    etag: createHash('sha256').update(plain).digest('base64url').slice(0, 22),
    plain,
    gzipped: plain.length < gzipBytesMin ? undefined : await compress(plain),
  }
  cache.set(file, asset)
  return asset
}

function absentFile(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw error
}

function notFound(reply: FastifyReply): FastifyReply {
  return reply.code(404).type('text/plain; charset=utf-8').send('No such page.\n')
}

function acceptsGzip(header: string | string[] | undefined): boolean {
  return /(?:^|[\s,])gzip(?!\s*;\s*q=0(?:\.0*)?(?:\s*,|\s*$))/i.test(String(header ?? ''))
}

function mayReuse(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag)
}

function escapeAttribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}
