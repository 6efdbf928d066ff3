// Time as a part. Everything that asks for the time takes a Clock, so that tests and simulations can move it.

/** Milliseconds since 1970-01-01T00:00:00Z. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }

/** Milliseconds since some instant in the past; never jumps, whoever sets the system's clock. For measuring how long. */
export const steadyClock: Clock = { now: () => performance.now() }
