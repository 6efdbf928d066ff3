// `npm run check`: types, lint, format and unit tests, side by side, in seconds. What fails is shown whole.

import { spawn } from 'node:child_process'

const CHECKS = [
  { name: 'types', command: 'tsc', args: ['-p', '.'] },
  { name: 'types of the pages', command: 'tsc', args: ['-p', 'dashboards'] },
  { name: 'lint', command: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'format', command: 'prettier', args: ['--check', '--log-level', 'warn', '.'] },
  { name: 'unit tests', command: 'vitest', args: ['run', '--project', 'unit', '--reporter=agent'] },
] as const

type Finished = {
  readonly name: string
  readonly code: number
  readonly output: string
  readonly seconds: number
}

function run({ name, command, args }: (typeof CHECKS)[number]): Promise<Finished> {
  const startedAt = performance.now()
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  })
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
  return new Promise((resolve) => {
    const finish = (code: number) =>
      resolve({ name, code, output, seconds: (performance.now() - startedAt) / 1000 })
    child.on('error', (error) => {
      output += `${command}: ${error.message}; run «npm test» once, which installs it\n`
      finish(1)
    })
    child.on('close', (code) => finish(code ?? 1))
  })
}

const finished = await Promise.all(CHECKS.map(run))
for (const { name, code, seconds, output } of finished) {
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)`)
  if (code !== 0) console.log(output)
}
process.exitCode = finished.every(({ code }) => code === 0) ? 0 : 1
