// Asks the API at a pace from a thread of its own, so that making spans beside it delays no clock: what is measured is the answer.

import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { buildQuestions, type Endpoint } from './api-endpoints.ts'
import { BenchFailure } from './bench-definition.ts'
import { ask } from './questions.ts'

const UNANSWERED_MAX = 200

export type Pace = {
  readonly url: string
  readonly endpoints: readonly Endpoint[]
  readonly seconds: number
  /** A second. */
  readonly queries: number
}

export type Answered = { readonly endpoint: Endpoint; readonly ms: number; readonly isRefused: boolean }

/** A question every 1/`queries` s, whether or not the one before was answered. @throws BenchFailure for a wrong answer */
export async function askAtPace(pace: Pace): Promise<readonly Answered[]> {
  const worker = new Worker(new URL(import.meta.url), { workerData: pace })
  const outcome = Promise.withResolvers<readonly Answered[]>()
  worker.once('message', (answered: readonly Answered[]) => outcome.resolve(answered))
  worker.once('error', (error) => outcome.reject(new BenchFailure(error.message, { cause: error })))
  worker.once('exit', (code) => outcome.reject(new BenchFailure(`The asking ended with ${code}.`)))
  return outcome.promise
}

async function work({ url, endpoints, seconds, queries }: Pace): Promise<readonly Answered[]> {
  const next = await buildQuestions(url)
  const answered: Answered[] = []
  const waiting = new Set<Promise<void>>()
  const failures: unknown[] = []
  const startedAt = performance.now()
  for (let number = 0; number < seconds * queries; number += 1) {
    await sleep(Math.max(0, startedAt + (number * 1000) / queries - performance.now()))
    if (failures.length > 0) throw failures[0] as Error
    if (waiting.size >= UNANSWERED_MAX)
      throw new BenchFailure(`${UNANSWERED_MAX} questions wait for an answer`)
    const endpoint = endpoints[number % endpoints.length]
    if (endpoint === undefined) break
    const one: Promise<void> = ask(url, next(endpoint))
      .then(({ ms, isRefused }) => void answered.push({ endpoint, ms, isRefused }))
      .catch((error: unknown) => void failures.push(error))
      .finally(() => waiting.delete(one))
    waiting.add(one)
  }
  await Promise.all(waiting)
  if (failures.length > 0) throw failures[0] as Error
  return answered
}

if (!isMainThread && parentPort !== null) parentPort.postMessage(await work(workerData as Pace), [])
