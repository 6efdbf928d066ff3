// Prometheus' own arithmetic as an oracle: questions in PromQL over series given sample by sample, answered by promtool.

import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

// The same place that deploy/setup.mjs fills.
export const PROMTOOL = fileURLToPath(new URL('../../.cache/prometheus/usr/bin/promtool', import.meta.url))

export type PromQuestion = { readonly expr: string; readonly atMinute: number }

export type PromWorld = {
  /** Series by name, a sample a minute from minute 0; `_` for one that is missing. */
  readonly series: ReadonlyMap<string, readonly (number | '_')[]>
  readonly records?: readonly { readonly record: string; readonly expr: string }[]
  /** How often records are made, minutes. */
  readonly everyMinutes: number
}

/** @throws Error when promtool is not there, saying how to get it; when it is of a version that counts otherwise */
export async function promtoolVersion(): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(PROMTOOL, ['--version'])
    return /version (\S+)/.exec(stdout + stderr)?.[1] ?? 'unknown'
  } catch (cause) {
    throw new Error(`${PROMTOOL} does not run; «node deploy/setup.mjs test» gets it`, { cause })
  }
}

/** Answers of one number each, in the order of the questions. */
export async function askPrometheus(
  world: PromWorld,
  questions: readonly PromQuestion[],
): Promise<readonly number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'surety-promtool-'))
  try {
    const rules = {
      groups: [{ name: 'slo', interval: `${world.everyMinutes}m`, rules: world.records ?? [] }],
    }
    // No answer has these labels, so promtool says what it got instead.
    const tests = questions.map(({ expr, atMinute }, index) => ({
      expr: `label_replace(${expr}, "question", "${index}", "", "")`,
      eval_time: `${atMinute}m`,
      exp_samples: [{ labels: '{question="none"}', value: 0 }],
    }))
    const file = {
      rule_files: ['rules.yml'],
      evaluation_interval: `${world.everyMinutes}m`,
      tests: [
        {
          interval: '1m',
          input_series: [...world.series].map(([series, values]) => ({ series, values: values.join(' ') })),
          promql_expr_test: tests,
        },
      ],
    }
    // JSON is YAML.
    writeFileSync(join(folder, 'rules.yml'), JSON.stringify(rules))
    writeFileSync(join(folder, 'test.yml'), JSON.stringify(file))
    const output = await run(folder)
    const answers = new Map(
      [...output.matchAll(/got:\s*\{[^}]*question="(\d+)"[^}]*\} (\S+)/g)].map(([, index, value]) => [
        Number(index),
        Number(value),
      ]),
    )
    return questions.map(({ expr }, index) => {
      const answer = answers.get(index)
      if (answer === undefined || Number.isNaN(answer))
        throw new Error(`promtool did not answer ${expr}:\n${output.slice(0, 2000)}`)
      return answer
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** promtool ends with 1 when a test fails, which all of ours do. */
async function run(folder: string): Promise<string> {
  try {
    const { stdout, stderr } = await promisify(execFile)(
      PROMTOOL,
      ['test', 'rules', join(folder, 'test.yml')],
      {
        maxBuffer: 64 * 2 ** 20,
      },
    )
    return stdout + stderr
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string }
    return stdout + stderr
  }
}
