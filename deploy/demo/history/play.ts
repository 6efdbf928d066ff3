// Plays a stretch of a world's time, trace by trace: who asks, which versions answer, how long it takes, what fails.
// What becomes of it (bytes, rows) is the stage's. Times are whole nanoseconds after the start of the minute.

import { isOpen, trafficShare } from './shape.ts'
import { phaseAt, type Phase, type Trouble } from './timeline.ts'
import { arrivals, drawsOf, logNormal, type Draws } from './random.ts'
import type { Cast, CastChannel, CastStep } from './cast.ts'

/** Eight bytes as two words. */
export type SpanId = { readonly high: number; readonly low: number }

export type Trace = {
  readonly id: readonly [number, number, number, number]
  readonly audience: number
  /** Place among the people of the audience. */
  readonly person: number
  readonly txnCode: string
  /** Number within its minute, from 0. */
  readonly sequence: number
}

export interface Stage {
  minute(minute: number): void
  trace(trace: Trace): void
  /** A SERVER span, after those of its callees. @param parent undefined for the root */
  server(
    step: CastStep,
    resource: number,
    startNs: number,
    endNs: number,
    id: SpanId,
    parent: SpanId | undefined,
    answer: number,
  ): void
  /** A CLIENT span. @param step what is called */
  client(
    step: CastStep,
    resource: number,
    startNs: number,
    endNs: number,
    id: SpanId,
    parent: SpanId,
    answer: number,
  ): void
}

const MINUTE_MS = 60_000
const MINUTE_NS = 60e9
const WORK_SIGMA = 0.35
const CROSS_SITE_SHARE = 0.02
/** From one service to the next, there and back. */
const HOP_NS = 250_000

/** @param fromMinute, toMinute minutes since 1970, the second one not included @returns spans played */
export function play(cast: Cast, seed: number, fromMinute: number, toMinute: number, stage: Stage): number {
  let spans = 0
  for (let minute = fromMinute; minute < toMinute; minute += 1) spans += playMinute(cast, seed, minute, stage)
  return spans
}

function playMinute(cast: Cast, seed: number, minute: number, stage: Stage): number {
  const { world, timeline } = cast
  const atMs = minute * MINUTE_MS
  const draws = drawsOf(seed, minute)
  const phases = world.services.map(({ name }) => phaseAt(timeline, name, atMs))
  const troubles = world.services.map(({ name }) =>
    timeline.troubles.filter(
      ({ service, fromMs, toMs }) => service === name && fromMs <= atMs && atMs < toMs,
    ),
  )
  const open = isOpen(atMs)
  const shareOf = ({ openShare, shutShare }: CastChannel) => (open ? openShare : shutShare)
  const shares = cast.channels.reduce((sum, channel) => sum + shareOf(channel), 0)
  const count = arrivals(draws, (world.peakPerSecond * trafficShare(atMs) * 60) / world.oneIn)
  stage.minute(minute)
  const scene: Scene = { cast, draws, phases, troubles, branch: undefined, stage, spans: 0, answer: 0 }
  for (let sequence = 0; sequence < count; sequence += 1) {
    const channel = cast.channels[drawn(cast.channels, (one) => shareOf(one) / shares, draws.fraction())]
    if (channel === undefined) continue
    const audience = below(channel.audiences, draws.fraction())?.audience ?? 0
    const { people, branch } = cast.audiences[audience] as Cast['audiences'][number]
    const journey = below(channel.journeys, draws.fraction())
    if (journey === undefined) continue
    stage.trace({
      id: traceId(draws, world.oneIn),
      audience,
      person: Math.floor(draws.fraction() * people.length),
      txnCode: journey.txnCode,
      sequence,
    })
    scene.branch = branch
    const site = Math.floor(draws.fraction() * world.sites.length)
    serve(scene, journey.entry, site, Math.floor(draws.fraction() * MINUTE_NS), undefined)
  }
  return scene.spans
}

/** Values that change while a minute is played. */
type Scene = {
  readonly cast: Cast
  readonly draws: Draws
  readonly phases: readonly Phase[]
  readonly troubles: readonly (readonly Trouble[])[]
  readonly stage: Stage
  branch: string | undefined
  spans: number
  /** What the last operation answered. */
  answer: number
}

/** @returns the end of the operation; its answer stands in the scene */
function serve(
  scene: Scene,
  step: CastStep,
  site: number,
  startNs: number,
  parent: SpanId | undefined,
): number {
  const { cast, draws, stage } = scene
  const id = { high: draws.next(), low: draws.next() }
  const phase = scene.phases[step.service] as Phase
  const version = versionFor(phase, scene.branch, draws)
  const resource = cast.resource(step.service, version, site)
  let nowNs = startNs + Math.floor(logNormal(draws, step.workNs, WORK_SIGMA))
  let answer = step.answer
  for (const trouble of scene.troubles[step.service] ?? []) {
    if (trouble.version !== undefined && trouble.version !== version) continue
    if (trouble.site !== undefined && trouble.site !== cast.world.sites[site]) continue
    if (draws.fraction() >= trouble.ratio) continue
    if (trouble.effect.kind === 'latency') nowNs += Math.floor(trouble.effect.latencyMs * 1e6)
    else answer = cast.failure(trouble.effect.code)
  }
  if (answer === step.answer && step.instead.length > 0) {
    answer = below(step.instead, draws.fraction())?.answer ?? answer
  }
  if (answer === step.answer) {
    for (const call of step.calls) {
      const callId = { high: draws.next(), low: draws.next() }
      const hopNs = Math.floor(HOP_NS * (0.5 + draws.fraction()))
      const away = draws.fraction() < CROSS_SITE_SHARE
      const far = away ? (site + 1) % cast.world.sites.length : site
      const endNs = serve(scene, call, far, nowNs + hopNs, callId) + hopNs
      stage.client(call, resource, nowNs, endNs, callId, id, scene.answer)
      scene.spans += 1
      nowNs = endNs
      if (cast.answers[scene.answer]?.status !== 200) {
        answer = cast.relayed[scene.answer] ?? scene.answer
        break
      }
    }
  }
  scene.answer = answer
  scene.spans += 1
  stage.server(step, resource, startNs, nowNs, id, parent, answer)
  return nowNs
}

/** As in ../routing.ts: a branch rule decides before a weight does. */
function versionFor({ base, gray }: Phase, branch: string | undefined, draws: Draws): string {
  if (gray === undefined) return base
  const { scope, version } = gray
  if (scope.kind === 'branch') return branch !== undefined && scope.branches.includes(branch) ? version : base
  return draws.fraction() * 100 < scope.percent ? version : base
}

/** A random id; of its last 56 bits the first are ones, as those of a trace are that such sampling keeps. */
function traceId(draws: Draws, oneIn: number): [number, number, number, number] {
  const kept = 0xff & ~(255 >> Math.log2(oneIn))
  return [draws.next(), draws.next(), (draws.next() | (kept << 16)) >>> 0, draws.next()]
}

function below<Item extends { readonly below: number }>(
  items: readonly Item[],
  draw: number,
): Item | undefined {
  for (const item of items) if (draw < item.below) return item
  return undefined
}

function drawn<Item>(items: readonly Item[], share: (item: Item) => number, draw: number): number {
  let left = draw
  for (const [index, item] of items.entries()) {
    left -= share(item)
    if (left < 0) return index
  }
  return items.length - 1
}
