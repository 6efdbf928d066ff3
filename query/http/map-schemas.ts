// The API contract of the map's difference between two times, beside schemas.ts. No behaviour lives here.

import { z } from 'zod'
import { Cursor } from './registry-schemas.ts'
import { Instant, MapEdge, MapNode, MapQuery, Window } from './schemas.ts'

export const MapDifferenceQuery = z.object({
  before: Instant.describe('end of the first window'),
  after: Instant.default('now').describe('end of the second window; default now'),
  window: Window.default('15m'),
  traffic: MapQuery.shape.traffic,
  limit: z.coerce.number().int().min(1).max(1000).default(200),
  cursor: Cursor,
})

export const CHANGES = ['rate', 'errorRatio', 'latency'] as const
const changed = {
  change: z.enum(['new', 'gone', 'changed']),
  what: z.array(z.enum(CHANGES)).describe('of what is changed; empty for what is new or gone'),
  isRare: z
    .boolean()
    .describe('new or gone with fewer than `minRequests`: it may be there and just not have been used'),
}
const NodeFigures = MapNode.omit({ kind: true, name: true })
export const NodeChange = MapNode.pick({ kind: true, name: true }).extend({
  of: z.literal('node'),
  ...changed,
  before: NodeFigures.nullable(),
  after: NodeFigures.nullable(),
})
export type NodeChange = z.infer<typeof NodeChange>
const EdgeFigures = MapEdge.omit({ caller: true, callee: true, calleeKind: true })
export const EdgeChange = MapEdge.pick({ caller: true, callee: true, calleeKind: true }).extend({
  of: z.literal('edge'),
  ...changed,
  before: EdgeFigures.nullable(),
  after: EdgeFigures.nullable(),
})
export type EdgeChange = z.infer<typeof EdgeChange>

const Side = z.object({
  from: z.string(),
  to: z.string(),
  minutes: z.number().int().describe('of the window'),
  derivedMinutes: z
    .number()
    .int()
    .describe('of them those whose calls are known; minutes without spans are none'),
  isComplete: z.boolean().describe('false when there were more nodes or edges than were compared'),
})

export const Thresholds = z.object({
  rateFactor: z.number().describe('the rate is changed when one is so many times the other'),
  errorRatioDelta: z.number().describe('the error ratio is changed when they differ by so much'),
  latencyFactor: z.number().describe('p95 is changed when one is so many times the other …'),
  latencyDeltaMs: z.number().describe('… and they differ by so many milliseconds'),
  minRequests: z
    .number()
    .int()
    .describe('on both sides for error ratio and latency, on one for the rate; fewer say nothing'),
})
export type Thresholds = z.infer<typeof Thresholds>

export const MapDifferenceReply = z.object({
  before: Side,
  after: Side,
  thresholds: Thresholds,
  isComparable: z
    .boolean()
    .describe(
      'false when one of the windows knows no calls at all: then no node or edge is called new or gone',
    ),
  unchanged: z.object({ nodes: z.number().int(), edges: z.number().int() }),
  items: z
    .array(z.discriminatedUnion('of', [NodeChange, EdgeChange]))
    .describe('new, gone, changed; in each nodes before edges, most requests first'),
  next: z
    .string()
    .nullable()
    .describe('cursor of the next page, over the same windows; null: this is the last'),
})
export type MapDifferenceReply = z.infer<typeof MapDifferenceReply>
