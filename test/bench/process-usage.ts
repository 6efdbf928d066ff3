// What another process has used, from Linux's /proc: CPU time of all its threads, ended ones included, and
// memory at its peak. Pure reading; who is measured and when is decided elsewhere.

import { readFileSync, readdirSync } from 'node:fs'

// The unit of times in /proc is 1/100 s on every Linux that Node runs on (USER_HZ).
const TICKS_PER_SECOND = 100

/** CPU seconds (user and system) of a process since its start. @throws Error when it has ended */
export function cpuSeconds(pid: number): number {
  return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')).cpuSeconds
}

/** Most memory that was resident at once, in MB of 2^20 bytes. */
export function rssPeakMb(pid: number): number {
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Math.round(Number(kilobytes ?? 0) / 1024)
}

/** One line of /proc/…/stat. The name may hold spaces and brackets; the last bracket ends it. */
export function parseStat(line: string): { readonly name: string; readonly cpuSeconds: number } {
  const end = line.lastIndexOf(')')
  const fields = line.slice(end + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return { name: line.slice(line.indexOf('(') + 1, end), cpuSeconds: ticks / TICKS_PER_SECOND }
}

export interface ThreadLedger {
  /** To be called every second or two: threads that come and go between two calls are missed. */
  sample(): void
  /** CPU seconds by thread name, the most expensive first. */
  byName(): readonly { readonly name: string; readonly cpuSeconds: number }[]
}

/** Who in a process uses CPU, by thread name. The engine renames its threads with their work. */
export function buildThreadLedger(pid: number): ThreadLedger {
  const last = new Map<string, number>()
  const sums = new Map<string, number>()
  return {
    sample() {
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        try {
          const stat = parseStat(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'))
          const used = stat.cpuSeconds - (last.get(thread) ?? 0)
          last.set(thread, stat.cpuSeconds)
          if (used > 0) sums.set(stat.name, (sums.get(stat.name) ?? 0) + used)
        } catch {
          // The thread ended between listing and reading.
          last.delete(thread)
        }
      }
    },
    byName: () =>
      [...sums]
        .map(([name, seconds]) => ({ name, cpuSeconds: seconds }))
        .sort((a, b) => b.cpuSeconds - a.cpuSeconds),
  }
}
