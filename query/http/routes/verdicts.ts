// Verdicts on releases: as they are kept, what people say instead, and how often the two agree.

import { z } from 'zod'
import { mayRead } from '../../people/read-scope.ts'
import { may } from '../../people/principal.ts'
import { NotAllowed } from '../../people/write-rules.ts'
import {
  overrideVerdict,
  readAgreement,
  readVerdict,
  wordOf,
  type KeptVerdict,
} from '../../verdicts/verdict-store.ts'
import { iso } from '../../time-range.ts'
import type { ApiParts } from '../api.ts'
import { authorOfRequest, principalOf } from '../authors.ts'
import { notFound, rangeOf } from '../errors.ts'
import { ApiRefusal } from '../refusals.ts'
import { OverrideBody, ReleaseVerdict } from '../release-schemas.ts'
import { Problem } from '../schemas.ts'
import {
  AccuracyQuery,
  AccuracyReply,
  OverrideHeaders,
  VerdictParams,
  VerdictQuery,
} from '../verdict-schemas.ts'
import type { TypedApp } from './typed.ts'

export function verdictRoutes(app: TypedApp, { database, clock }: ApiParts): void {
  const tags = ['releases']
  async function found(
    call: Parameters<typeof principalOf>[0],
    id: string,
  ): Promise<KeptVerdict | undefined> {
    const kept = await readVerdict(database, id)
    return kept !== undefined && mayRead(principalOf(call).scope, kept.system) ? kept : undefined
  }
  const unknown = (id: string) =>
    `There is no verdict on a release «${id}» (yet): a release is judged within half a minute of its first traffic or event.`

  app.get(
    '/api/v1/releases/:id/verdict',
    {
      schema: {
        summary: 'Is it worse than what served before? The newest verdict, with a person’s beside ours',
        description:
          'Judged every 30 s for an hour, then every 5 and 15 minutes until a day has gone by. The header surety-verdict holds the word that counts; format=word answers with nothing else, for gates.',
        tags,
        params: VerdictParams,
        querystring: VerdictQuery,
        response: { 200: z.union([ReleaseVerdict, z.string()]), 404: Problem, 503: Problem },
      },
    },
    async (call, reply) => {
      const kept = await found(call, call.params.id)
      if (kept === undefined) return notFound(reply, unknown(call.params.id))
      const word = wordOf(kept.verdict)
      void reply.header('surety-verdict', word).header('surety-override-revision', String(kept.revision))
      if (call.query.format === 'word') return reply.type('text/plain; charset=utf-8').send(`${word}\n`)
      return kept.verdict
    },
  )

  app.post(
    '/api/v1/releases/:id/override',
    {
      config: { access: { door: 'api', scope: 'operate' } },
      schema: {
        summary: 'Decide otherwise (or the same), with a reason',
        description:
          'Ours is kept beside it, and both count in GET /api/v1/reports/verdict-accuracy. With If-Match, the revision in the header surety-override-revision of what you saw, somebody else’s decision meanwhile is answered with 409.',
        tags,
        params: VerdictParams,
        headers: OverrideHeaders,
        body: OverrideBody,
        response: {
          200: ReleaseVerdict,
          400: Problem,
          403: Problem,
          404: Problem,
          409: Problem,
          503: Problem,
        },
      },
    },
    async (call, reply) => {
      const kept = await found(call, call.params.id)
      if (kept === undefined) return notFound(reply, unknown(call.params.id))
      const principal = principalOf(call)
      if (!may(principal, 'administer') && (kept.team === undefined || !principal.teams.includes(kept.team)))
        throw new NotAllowed(
          `The release of «${kept.release.service}» belongs to the team ${kept.team ?? '–'}; you are not in it`,
        )
      const { verdict, reason } = call.body
      const ifMatch = call.headers['if-match']
      const expected = ifMatch === undefined ? undefined : Number(ifMatch.replaceAll(/[^\d]/g, ''))
      const author = authorOfRequest(call, reason)
      const at = new Date(clock.now())
      const decided = await overrideVerdict(database, kept, { verdict, reason }, expected, author, at)
      if (decided === undefined)
        throw new ApiRefusal(
          409,
          'SURETY_DECIDED',
          `Somebody decided about «${call.params.id}» meanwhile. Read the verdict again, then decide.`,
        )
      void reply
        .header('surety-verdict', wordOf(decided.verdict))
        .header('surety-override-revision', String(decided.revision))
      return decided.verdict
    },
  )

  app.get(
    '/api/v1/reports/verdict-accuracy',
    {
      schema: {
        summary: 'How often people said what we said',
        tags,
        querystring: AccuracyQuery,
        response: { 200: AccuracyReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const range = rangeOf(call.query, clock)
      const { scope } = principalOf(call)
      const read = (await readAgreement(database, range)).filter(({ system }) => mayRead(scope, system))
      const pairs = new Map<string, AccuracyReply['pairs'][number]>()
      for (const { ours, theirs, count } of read) {
        const key = `${ours} ${theirs}`
        pairs.set(key, { ours, theirs, count: (pairs.get(key)?.count ?? 0) + count })
      }
      const all = [...pairs.values()]
      const decided = all.reduce((sum, { count }) => sum + count, 0)
      const agreed = all.reduce((sum, one) => sum + (one.ours === one.theirs ? one.count : 0), 0)
      return {
        from: iso(range.fromMs),
        to: iso(range.toMs),
        decided,
        agreed,
        agreementRatio: decided === 0 ? null : agreed / decided,
        definition: {
          en: 'Of the releases that a person decided about in the range: how many got the word that we had said by then. Releases that nobody decided about are not in it.',
          zh: '统计期内由人给出结论的投产中，与系统当时结论一致的比例；无人判断的投产不计入。',
        },
        pairs: all,
      }
    },
  )
}
