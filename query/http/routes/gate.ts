// What delivery tools ask: may this version go on?

import { mayRead } from '../../people/read-scope.ts'
import { isSameEnvironment } from '../../releases/environment-class.ts'
import { gateDecision } from '../../verdicts/gate.ts'
import { readVersionVerdicts } from '../../verdicts/verdict-store.ts'
import type { ApiParts } from '../api.ts'
import { principalOf } from '../authors.ts'
import { GateQuery, GateReply } from '../gate-schemas.ts'
import { Problem } from '../schemas.ts'
import type { TypedApp } from './typed.ts'

/** Releases of one version, newest first, among which the environment is looked for. */
const RELEASES_MAX = 50

export function gateRoutes(app: TypedApp, { database }: ApiParts): void {
  app.get(
    '/api/v1/releases/verdict',
    {
      schema: {
        summary: 'May the newest release of this service and version go on?',
        description:
          'For delivery tools: one word, go, abort or wait, and why. What was never judged is «wait», not 404. Recipes: deploy/gates/.',
        tags: ['releases'],
        querystring: GateQuery,
        response: { 200: GateReply, 400: Problem, 503: Problem },
      },
    },
    async (call) => {
      const { service, version, environment } = call.query
      const { scope } = principalOf(call)
      const kept = await readVersionVerdicts(database, service, version, RELEASES_MAX)
      const found = kept.find(
        ({ release, system }) =>
          isSameEnvironment(environment, release.environment) && mayRead(scope, system),
      )
      return gateDecision(found?.verdict, `${service} ${version}`)
    },
  )
}
