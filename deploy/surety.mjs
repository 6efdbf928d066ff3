// The launcher: runs under whatever Node a machine has, installs what is missing, and hands over to
// deploy/surety.ts under the Node 24 that the project pins. Nothing else lives here.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { installPackages, pinnedNode } from './setup.mjs'

const words = process.argv.slice(2)
installPackages()

const child = spawn(
  pinnedNode,
  ['--disable-warning=ExperimentalWarning', fileURLToPath(new URL('./surety.ts', import.meta.url)), ...words],
  {
    stdio: 'inherit',
    // The engine runs one query a thread; libuv's default of four would serialise the fifth connection.
    env: { UV_THREADPOOL_SIZE: '16', ...process.env },
  },
)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 143)))
child.on('error', (error) => {
  console.error(
    `Surety could not start Node 24 (${error.message}). Remove node_modules and run the command again.`,
  )
  process.exit(1)
})
