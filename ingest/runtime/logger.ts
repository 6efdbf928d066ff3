// Structured logs: one JSON line per event on standard error, in pino's form. Message text is for people;
// figures go into fields.

import { pino, type Logger } from 'pino'

export type { Logger }

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export function buildLogger(level: LogLevel, name = 'surety'): Logger {
  return pino({ name, level, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination(2))
}
