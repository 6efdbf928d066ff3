// The command line. Each command is one straight function, loaded when it is asked for: the engine and the doors take a second
// to load, and most commands need neither.

import { parseArgs } from 'node:util'
import { CommandError } from './api-client.ts'
import { startFailure } from '../ingest/runtime/start-failure.ts'

type Values = Readonly<Record<string, string | boolean | undefined>>

type Command = {
  readonly summary: string
  /** Whether words may follow that are no options. */
  readonly takesWords?: boolean
  readonly load: () => Promise<Loaded>
}

type Loaded = {
  readonly help: string
  readonly options: Readonly<Record<string, { type: 'string' | 'boolean'; short?: string }>>
  readonly run: (values: Values, words: readonly string[]) => Promise<number>
}

const COMMANDS: Readonly<Record<string, Command>> = {
  serve: {
    summary: 'run Surety: OTLP and release-event doors, API and pages',
    load: () =>
      Promise.resolve({
        help: `surety serve [--roles ingest,query,alerts]

Runs the named roles in this process; all that exist by default. Stops on SIGINT or SIGTERM after writing what
was accepted. Ports, directories and brokers come from the environment; «surety check-config» lists them.`,
        options: { roles: { type: 'string' } },
        run: async (values) => (await import('./serve.ts')).serveCommand(values),
      }),
  },
  demo: {
    summary: 'serve, with a small bank beside it that sends real telemetry',
    load: () =>
      Promise.resolve({
        help: `surety demo [--no-history]

Runs «surety serve» and the demo bank: eight services in two sites, with customers, branches and releases. Its
control page (SURETY_DEMO_PORT, 8090) deploys versions, injects faults and rolls back. The first start writes the
bank's last five weeks, which takes about a minute; not with --no-history or SURETY_DEMO_HISTORY=0.`,
        options: { 'no-history': { type: 'boolean' } },
        run: async (values) => (await import('./demo-command.ts')).demoCommand(values),
      }),
  },
  migrate: {
    summary: 'bring the store to the schema of this release, then end',
    async load() {
      const { MIGRATE_HELP: help, migrateCommand: run } = await import('./commands.ts')
      return { help, options: { print: { type: 'string' } }, run }
    },
  },
  'check-config': {
    summary: 'read the environment as «serve» would, and say what is wrong or what will be used',
    load: () =>
      Promise.resolve({
        help: `surety check-config [--roles ingest,query,alerts]

Ends with 0 when the environment is accepted and 2 when not; every problem is named at once.`,
        options: { roles: { type: 'string' } },
        run: async (values) => (await import('./commands.ts')).checkConfigCommand(values),
      }),
  },
  token: {
    summary: 'make, list and revoke the tokens of senders and readers',
    takesWords: true,
    async load() {
      const {
        TOKEN_HELP: help,
        tokenCommand: run,
        TOKEN_OPTIONS: options,
      } = await import('./token-command.ts')
      return { help, options, run }
    },
  },
  apply: {
    summary: 'make systems, teams, SLOs … as files say, all or nothing',
    takesWords: true,
    async load() {
      const { APPLY_HELP: help, applyCommand: run } = await import('./registry-command.ts')
      return {
        help,
        options: {
          file: { type: 'string', short: 'f' },
          bundle: { type: 'string' },
          reason: { type: 'string' },
          prune: { type: 'boolean' },
          yes: { type: 'boolean' },
          'dry-run': { type: 'boolean' },
        },
        run,
      }
    },
  },
  export: {
    summary: 'write definitions as files that can be applied',
    async load() {
      const { EXPORT_HELP: help, exportCommand: run } = await import('./registry-command.ts')
      return {
        help,
        options: {
          output: { type: 'string', short: 'o' },
          kinds: { type: 'string' },
          bundle: { type: 'string' },
        },
        run,
      }
    },
  },
  validate: {
    summary: 'say what is wrong with files, by file, line and path',
    takesWords: true,
    async load() {
      const { VALIDATE_HELP: help, validateCommand: run } = await import('./registry-command.ts')
      return {
        help,
        options: {
          file: { type: 'string', short: 'f' },
          server: { type: 'boolean' },
          strict: { type: 'boolean' },
        },
        run,
      }
    },
  },
  user: {
    summary: 'give a user a new one-time password',
    takesWords: true,
    async load() {
      const { USER_HELP: help, userCommand: run } = await import('./user-command.ts')
      return { help, options: { reason: { type: 'string' } }, run }
    },
  },
  explain: {
    summary: 'what a fault is blamed on, why, and what to roll back',
    takesWords: true,
    async load() {
      const {
        EXPLAIN_HELP: help,
        explainCommand: run,
        EXPLAIN_OPTIONS: options,
      } = await import('./explain-command.ts')
      return { help, options, run }
    },
  },
  replay: {
    summary: 'explain the faults of recorded telemetry and releases',
    takesWords: true,
    async load() {
      const {
        REPLAY_HELP: help,
        replayCommand: run,
        REPLAY_OPTIONS: options,
      } = await import('./replay-command.ts')
      return { help, options, run }
    },
  },
  'dead-letters': {
    summary: 'list, show and replay messages that could not be stored',
    takesWords: true,
    async load() {
      const { DEAD_LETTERS_HELP: help, deadLettersCommand: run } = await import('./dead-letters-command.ts')
      return {
        help,
        options: {
          limit: { type: 'string' },
          reason: { type: 'string' },
          since: { type: 'string' },
          bytes: { type: 'boolean' },
          again: { type: 'boolean' },
        },
        run,
      }
    },
  },
  backup: {
    summary: 'write a consistent backup of the embedded store, running or not',
    takesWords: true,
    async load() {
      const { BACKUP_HELP: help, backupCommand: run } = await import('./backup-command.ts')
      return { help, options: {}, run }
    },
  },
  restore: {
    summary: 'fill an empty data directory from a backup',
    takesWords: true,
    async load() {
      const { RESTORE_HELP: help, restoreCommand: run } = await import('./backup-command.ts')
      return { help, options: {}, run }
    },
  },
  simulate: {
    summary: 'how right the correlation engine is, on a simulated bank',
    async load() {
      const {
        SIMULATE_HELP: help,
        simulateCommand: run,
        SIMULATE_OPTIONS: options,
      } = await import('./simulate-command.ts')
      return { help, options, run }
    },
  },
  doctor: {
    summary: 'look for what is broken or soon will be, and say what to do',
    async load() {
      const { DOCTOR_HELP: help, doctorCommand: run } = await import('./doctor-command.ts')
      return { help, options: { json: { type: 'boolean' } }, run }
    },
  },
}

const USAGE = `Surety: observability and SLO analytics for banking workloads

surety COMMAND [options]

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(14)} ${summary}`)
  .join('\n')}

«surety COMMAND --help» says more. The README holds the configuration.`

const USAGE_ERROR = 2

export async function main(words: readonly string[]): Promise<number> {
  const [name, ...rest] = words
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    console.log(USAGE)
    return name === undefined ? USAGE_ERROR : 0
  }
  const command = COMMANDS[name]
  if (command === undefined) {
    console.error(`surety has no command «${name}».\n\n${USAGE}`)
    return USAGE_ERROR
  }
  const { help, options, run } = await command.load()
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      allowPositionals: command.takesWords === true,
      options: { ...options, help: { type: 'boolean', short: 'h' } },
    })
    if (values['help'] === true) {
      console.log(help)
      return 0
    }
    return await run(values, positionals)
  } catch (error) {
    const sentence = startFailure(error)
    if (sentence !== undefined) {
      console.error(sentence)
      return USAGE_ERROR
    }
    if (error instanceof CommandError) {
      console.error(error.message)
      return 1
    }
    if ((error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') === true) {
      console.error(`${(error as Error).message}\n\n${help}`)
      return USAGE_ERROR
    }
    throw error
  }
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)))
