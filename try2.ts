import { openEmbeddedStore } from './ingest/store/store.ts'
import { MINUTE_QUESTIONS } from './ingest/derived/minute-questions.ts'
import { bind } from './ingest/store/bind.ts'
const store = await openEmbeddedStore(process.argv[2])
const [r] = await store.rows('SELECT toUnixTimestamp(toStartOfMinute(toDateTime(min(ts)))) + 60 AS f FROM spans')
const from = Number(r.f)
const q = async (sql) => console.log(JSON.stringify(await store.rows(sql).catch((e) => String(e).slice(0, 300))).slice(0, 1500))
const paths = bind(MINUTE_QUESTIONS.trace_paths_1m, { from, slice: 0, slices: 1 })
const inner = paths.slice(paths.indexOf('ANY INNER JOIN\n(') + 16, paths.indexOf(') AS t ON t.trace_id'))

await q(`SELECT toTypeName(entries) FROM (${inner}) LIMIT 1`)
const whole = paths.slice(paths.indexOf('FROM\n(\n') + 7, paths.lastIndexOf(')\nGROUP BY traffic'))
await q(`SELECT count() FROM (${whole})`)
await q(`SELECT count() FROM (${whole.replace('WHERE has(t.entries, e.span64)', '')})`)
await q(`SELECT count() FROM (${whole.replace('ANY INNER', 'INNER')})`)
await q(`SELECT count() FROM (${whole.replace('ANY INNER', 'INNER').replace('WHERE has(t.entries, e.span64)', 'WHERE 1')})`)
await store.close()
