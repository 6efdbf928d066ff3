// The command line. Each command is one straight function; `serve` starts the roles in one process, which the
// embedded store needs, and puts their routes on one port.

import { parseArgs } from 'node:util'
import { CommandError } from './api-client.ts'
import { BACKUP_HELP, backupCommand, RESTORE_HELP, restoreCommand } from './backup-command.ts'
import { DEAD_LETTERS_HELP, deadLettersCommand } from './dead-letters-command.ts'
import { DOCTOR_HELP, doctorCommand } from './doctor-command.ts'
import { EXPLAIN_HELP, EXPLAIN_OPTIONS, explainCommand } from './explain-command.ts'
import { MIGRATE_HELP, migrateCommand, checkConfigCommand } from './commands.ts'
import { demoCommand } from './demo-command.ts'
import {
  APPLY_HELP,
  applyCommand,
  EXPORT_HELP,
  exportCommand,
  VALIDATE_HELP,
  validateCommand,
} from './registry-command.ts'
import { REPLAY_HELP, REPLAY_OPTIONS, replayCommand } from './replay-command.ts'
import { serveCommand } from './serve.ts'
import { SIMULATE_HELP, SIMULATE_OPTIONS, simulateCommand } from './simulate-command.ts'
import { TOKEN_HELP, TOKEN_OPTIONS, tokenCommand } from './token-command.ts'
import { USER_HELP, userCommand } from './user-command.ts'
import { startFailure } from '../ingest/process.ts'

type Command = {
  readonly summary: string
  readonly help: string
  readonly options: Readonly<Record<string, { type: 'string' | 'boolean'; short?: string }>>
  /** Whether words may follow that are no options. */
  readonly takesWords?: boolean
  readonly run: (
    values: Readonly<Record<string, string | boolean | undefined>>,
    words: readonly string[],
  ) => Promise<number>
}

const COMMANDS: Readonly<Record<string, Command>> = {
  serve: {
    summary: 'run Surety: OTLP and release-event doors, API and pages',
    help: `surety serve [--roles ingest,query,alerts]

Runs the named roles in this process; all that exist by default. Stops on SIGINT or SIGTERM after writing what
was accepted. Ports, directories and brokers come from the environment; «surety check-config» lists them.`,
    options: { roles: { type: 'string' } },
    run: serveCommand,
  },
  demo: {
    summary: 'serve, with a small bank beside it that sends real telemetry',
    help: `surety demo [--no-history]

Runs «surety serve» and the demo bank: eight services in two sites, with customers, branches and releases. Its
control page (SURETY_DEMO_PORT, 8090) deploys versions, injects faults and rolls back. The first start writes the
bank's last five weeks, which takes about a minute; not with --no-history or SURETY_DEMO_HISTORY=0.`,
    options: { 'no-history': { type: 'boolean' } },
    run: demoCommand,
  },
  migrate: {
    summary: 'bring the store to the schema of this release, then end',
    help: MIGRATE_HELP,
    options: { print: { type: 'string' } },
    run: migrateCommand,
  },
  'check-config': {
    summary: 'read the environment as «serve» would, and say what is wrong or what will be used',
    help: `surety check-config [--roles ingest,query,alerts]

Ends with 0 when the environment is accepted and 2 when not; every problem is named at once.`,
    options: { roles: { type: 'string' } },
    run: checkConfigCommand,
  },
  token: {
    summary: 'make, list and revoke the tokens of senders and readers',
    help: TOKEN_HELP,
    options: TOKEN_OPTIONS,
    takesWords: true,
    run: tokenCommand,
  },
  apply: {
    summary: 'make systems, teams, SLOs … as files say, all or nothing',
    help: APPLY_HELP,
    options: {
      file: { type: 'string', short: 'f' },
      bundle: { type: 'string' },
      reason: { type: 'string' },
      prune: { type: 'boolean' },
      yes: { type: 'boolean' },
      'dry-run': { type: 'boolean' },
    },
    takesWords: true,
    run: applyCommand,
  },
  export: {
    summary: 'write definitions as files that can be applied',
    help: EXPORT_HELP,
    options: {
      output: { type: 'string', short: 'o' },
      kinds: { type: 'string' },
      bundle: { type: 'string' },
    },
    run: exportCommand,
  },
  validate: {
    summary: 'say what is wrong with files, by file, line and path',
    help: VALIDATE_HELP,
    options: {
      file: { type: 'string', short: 'f' },
      server: { type: 'boolean' },
      strict: { type: 'boolean' },
    },
    takesWords: true,
    run: validateCommand,
  },
  user: {
    summary: 'give a user a new one-time password',
    help: USER_HELP,
    options: { reason: { type: 'string' } },
    takesWords: true,
    run: userCommand,
  },
  explain: {
    summary: 'what a fault is blamed on, why, and what to roll back',
    help: EXPLAIN_HELP,
    options: EXPLAIN_OPTIONS,
    takesWords: true,
    run: explainCommand,
  },
  replay: {
    summary: 'explain the faults of recorded telemetry and releases',
    help: REPLAY_HELP,
    options: REPLAY_OPTIONS,
    takesWords: true,
    run: replayCommand,
  },
  'dead-letters': {
    summary: 'list, show and replay messages that could not be stored',
    help: DEAD_LETTERS_HELP,
    options: {
      limit: { type: 'string' },
      reason: { type: 'string' },
      since: { type: 'string' },
      bytes: { type: 'boolean' },
      again: { type: 'boolean' },
    },
    takesWords: true,
    run: deadLettersCommand,
  },
  backup: {
    summary: 'write a consistent backup of the embedded store, running or not',
    help: BACKUP_HELP,
    options: {},
    takesWords: true,
    run: backupCommand,
  },
  restore: {
    summary: 'fill an empty data directory from a backup',
    help: RESTORE_HELP,
    options: {},
    takesWords: true,
    run: restoreCommand,
  },
  simulate: {
    summary: 'how right the correlation engine is, on a simulated bank',
    help: SIMULATE_HELP,
    options: SIMULATE_OPTIONS,
    run: simulateCommand,
  },
  doctor: {
    summary: 'look for what is broken or soon will be, and say what to do',
    help: DOCTOR_HELP,
    options: { json: { type: 'boolean' } },
    run: doctorCommand,
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
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      allowPositionals: command.takesWords === true,
      options: { ...command.options, help: { type: 'boolean', short: 'h' } },
    })
    if (values['help'] === true) {
      console.log(command.help)
      return 0
    }
    return await command.run(values, positionals)
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
      console.error(`${(error as Error).message}\n\n${command.help}`)
      return USAGE_ERROR
    }
    throw error
  }
}

if (import.meta.main) process.exit(await main(process.argv.slice(2)))
