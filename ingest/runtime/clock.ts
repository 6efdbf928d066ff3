// Time as a part. Everything that asks for the time takes a Clock, so that tests and simulations can move it.

/** Milliseconds since 1970-01-01T00:00:00Z. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
