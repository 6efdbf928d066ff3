// `npm test`: everything that must hold on a fresh clone, with the real parts. Ends with the line that CI reads.
//
//   node test/run.ts          check, then the engine's contracts, scenarios and browser tests
//   node test/run.ts --long   the same with the long forms of the tests that have one

import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { COMPILED } from './support/compiled.ts'

type Report = {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numFailedTestSuites: number
}

function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      UV_THREADPOOL_SIZE: '16',
      NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
      // What one process made of a source the next takes: test files and demo banks start hundreds.
      NODE_COMPILE_CACHE: COMPILED,
      ...process.env,
      ...env,
    },
  })
  return new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`)
      resolve(1)
    })
    child.on('close', (code) => resolve(code ?? 1))
  })
}

const isLong = process.argv.includes('--long')
const folder = mkdtempSync(join(tmpdir(), 'surety-report-'))
const reportPath = join(folder, 'report.json')
let passed = 0
let failed = 0

// The static half of `npm run check`; its unit tests are part of the run below and are counted there.
for (const [name, command, args] of [
  ['types', 'tsc', ['-p', '.']],
  ['types of the pages', 'tsc', ['-p', 'dashboards']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings']],
  ['format', 'prettier', ['--check', '--log-level', 'warn', '.']],
] as const) {
  const code = await run(command, args)
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name}`)
  if (code === 0) passed += 1
  else failed += 1
}

const code = await run(
  'vitest',
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`],
  isLong ? { SURETY_TEST_LONG: '1' } : {},
)
try {
  const report = JSON.parse(readFileSync(reportPath, 'utf8')) as Report
  passed += report.numPassedTests
  failed += report.numFailedTests
  // A file that could not even be read, or a hook that failed, counts no test but is a failure all the same.
  if (code !== 0 && report.numFailedTests === 0) failed += Math.max(1, report.numFailedTestSuites)
} catch {
  console.error('the test runner left no report')
  failed += 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
