// How much traffic a question needs: requests and minutes until a difference of ratios would show.

import { normalQuantile } from './normal.ts'

export type PowerQuestion = {
  /** Ratios of bad ones, 0–1. */
  readonly controlRatio: number
  readonly exposedRatio: number
  /** Share of the requests that are exposed, 0–1 exclusive. */
  readonly exposedShare: number
  /** z to be reached; 4 unless told. */
  readonly z?: number
  /** Chance to reach it; 0.8 unless told. */
  readonly power?: number
  /** Over-dispersion, ≥ 1. */
  readonly phi?: number
}

/** Requests on both sides together until z is reached with the given power; Infinity when nothing differs or a side is empty. */
export function requestsNeeded(question: PowerQuestion): number {
  const { controlRatio: p0, exposedRatio: p1, exposedShare: w } = question
  const difference = Math.abs(p1 - p0)
  if (difference === 0 || w <= 0 || w >= 1) return Infinity
  const z = (question.z ?? 4) + normalQuantile(question.power ?? 0.8)
  return (
    Math.max(1, question.phi ?? 1) * (z / difference) ** 2 * ((p1 * (1 - p1)) / w + (p0 * (1 - p0)) / (1 - w))
  )
}

/** The same in minutes, at so many requests a minute. */
export const minutesNeeded = (question: PowerQuestion, requestsPerMinute: number): number =>
  requestsPerMinute > 0 ? requestsNeeded(question) / requestsPerMinute : Infinity

/** z to be expected of a difference with so many requests on each side. */
export function expectedZ(
  ratios: { readonly exposed: number; readonly control: number },
  requests: { readonly exposed: number; readonly control: number },
  phi = 1,
): number {
  if (requests.exposed <= 0 || requests.control <= 0) return 0
  const floor = (ratio: number, all: number): number => Math.max(ratio * (1 - ratio), 0.5 / (all + 1))
  const variance =
    floor(ratios.exposed, requests.exposed) / requests.exposed +
    floor(ratios.control, requests.control) / requests.control
  return (ratios.exposed - ratios.control) / Math.sqrt(Math.max(1, phi) * variance)
}
