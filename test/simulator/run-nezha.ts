// `node test/simulator/run-nezha.ts DIR --seeds 1-3`: real spans of Nezha's Train-Ticket faults with rollouts laid over them, through
// «surety replay». What it proves is little: simple rules do as well on these data (Fang et al., 2025), and without a control group
// nobody is to be blamed; it shows that real spans go through and that the true service is found.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seedsOf } from '../../deploy/simulate-command.ts'
import type { Explanation } from '../../query/http/fault-schemas.ts'
import { traceRequest, varint } from '../support/otlp.ts'
import { spawnSurety } from '../support/surety-process.ts'
import { ENTRY, overlays, readNezhaCases, type Overlay } from './nezha.ts'

const { values, positionals } = parseArgs({
  options: { seeds: { type: 'string', default: '1-3' }, misses: { type: 'boolean' } },
  allowPositionals: true,
})
const cases = readNezhaCases(
  positionals[0] ?? new URL('../../../shared/data/nezha-tt', import.meta.url).pathname,
)

type Scored = { readonly of: Overlay; readonly explanation: Explanation; readonly rank: number }

async function replayed(made: readonly Overlay[]): Promise<Explanation[]> {
  const folder = mkdtempSync(join(tmpdir(), 'surety-nezha-'))
  const lines = (list: readonly object[]) => list.map((one) => `${JSON.stringify(one)}\n`).join('')
  try {
    const messages = made.flatMap((of) => of.messages.map((resources) => traceRequest([...resources])))
    writeFileSync(
      join(folder, 'spans.otlp.pb'),
      Buffer.concat(messages.flatMap((bytes) => [varint(bytes.length), bytes])),
    )
    writeFileSync(join(folder, 'events.jsonl'), lines(made.flatMap((of) => of.events)))
    writeFileSync(
      join(folder, 'faults.jsonl'),
      lines(
        made.map(({ alarmAtMs, measure }) => ({
          at: new Date(alarmAtMs).toISOString(),
          ...ENTRY,
          measure,
        })),
      ),
    )
    const { code, stdout, stderr } = await spawnSurety(['replay', folder, '--decide-after', '2m']).ended
    if (code !== 0) throw new Error(`replay ended with ${String(code)}: ${stderr}`)
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Explanation)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const scored: Scored[] = []
const started = performance.now()
for (const seed of seedsOf(values.seeds)) {
  const made = overlays(cases, seed)
  const explanations = await replayed(made)
  for (const [index, of] of made.entries()) {
    const explanation = explanations[index]
    if (explanation === undefined) throw new Error(`${of.name}: was not explained`)
    const at = explanation.ranked.findIndex(
      ({ service, versionTo }) => service === of.culprit?.service && versionTo === of.culprit.version,
    )
    const rank = at < 0 ? Infinity : at + 1
    scored.push({ of, explanation, rank })
    const { verdict, headline } = explanation
    console.log(
      `seed ${String(seed)} ${of.name} ${of.kind}: ${of.culprit?.service ?? 'innocents alone'} of ${String(of.releases.length)} · ${verdict} · rank ${String(rank)} · ${headline.en}`,
    )
    if (values.misses !== true || rank === 1) continue
    for (const cause of explanation.ranked)
      console.log(
        `   ${cause.service === of.culprit?.service ? '*' : ' '} ${cause.service} p=${cause.posterior.toFixed(3)} ready ${cause.readyAt ?? 'never'} ${cause.evidence.map(({ term, llr }) => `${term}=${llr.toFixed(1)}`).join(' ')}`,
      )
    const against = explanation.competing
      .slice(0, 3)
      .map(({ kind, name, llr }) => `${kind} ${name} llr=${llr.toFixed(1)}`)
    console.log(`   onset ${explanation.onset?.at ?? 'none'} · against: ${against.join(' · ')}`)
  }
}

console.log('\nfault            cases  first  first three  blamed  no release did it: cases  blamed  suspect')
for (const kind of [...new Set(cases.map((of) => of.kind)), 'all']) {
  const mine = scored.filter(({ of }) => kind === 'all' || of.kind === kind)
  const caused = mine.filter(({ of }) => of.culprit !== undefined)
  const none = mine.filter(({ of }) => of.culprit === undefined)
  const within = (rank: number) => caused.filter((one) => one.rank <= rank).length
  const said = (list: readonly Scored[], verdict: string) =>
    list.filter(({ explanation }) => explanation.verdict === verdict).length
  const cells = [
    [kind, 16],
    [caused.length, 6],
    [within(1), 6],
    [within(3), 12],
    [said(caused, 'blamed'), 7],
    [none.length, 25],
    [said(none, 'blamed'), 7],
    [said(none, 'suspect'), 8],
  ] as const
  console.log(
    cells
      .map(([cell, width]) => (typeof cell === 'string' ? cell.padEnd(width) : String(cell).padStart(width)))
      .join(' '),
  )
}
console.log(`${String(scored.length)} cases in ${((performance.now() - started) / 1000).toFixed(0)} s`)
