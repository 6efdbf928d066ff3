import { openEmbeddedStore } from './ingest/store/store.ts'
const store = await openEmbeddedStore(process.argv[2])
const [r] = await store.rows('SELECT toUnixTimestamp(toStartOfMinute(toDateTime(min(ts)))) + 60 AS f FROM spans')
const from = Number(r.f)
const W = `ts >= toDateTime(${from - 5}, 'UTC') AND ts < toDateTime(${from + 75}, 'UTC')`
const q = async (name, sql) => {
  let best = 1e9
  for (let i = 0; i < 3; i += 1) { const b = process.cpuUsage(); await store.rows(sql + ' FORMAT JSONEachRow SETTINGS max_threads=1').catch((e) => console.log(String(e).slice(0, 300))); const u = process.cpuUsage(b); best = Math.min(best, u.user + u.system) }
  console.log(name.padEnd(30), (best / 167000).toFixed(3), 'µs/span of minute')
}
await q('scan ts', `SELECT count() FROM spans WHERE ${W}`)
await q('scan trace_id', `SELECT max(cityHash64(trace_id)) FROM spans WHERE ${W}`)
await q('group trace_id', `SELECT count() FROM (SELECT trace_id FROM spans WHERE ${W} GROUP BY trace_id)`)
await q('group u64', `SELECT count() FROM (SELECT reinterpretAsUInt64(trace_id) t FROM spans WHERE ${W} GROUP BY t)`)
await q('uniqArray concat', `SELECT sum(length(p)) FROM (SELECT trace_id, groupUniqArray(concat(service, '@', version)) p FROM spans WHERE ${W} GROUP BY trace_id)`)
await q('uniqArray lc hash', `SELECT sum(length(p)) FROM (SELECT trace_id, groupUniqArray(toUInt64(cityHash64(service)) * 31 + toUInt64(cityHash64(version))) p FROM spans WHERE ${W} GROUP BY trace_id)`)
await q('groupArray lc hash', `SELECT sum(length(p)) FROM (SELECT trace_id, groupArray(toUInt64(cityHash64(service)) * 31 + toUInt64(cityHash64(version))) p FROM spans WHERE ${W} GROUP BY trace_id)`)
await q('uniqArray res', `SELECT sum(length(p)) FROM (SELECT trace_id, groupUniqArray(res_id) p FROM spans WHERE ${W} GROUP BY trace_id)`)
await q('argMinIf str', `SELECT max(p) FROM (SELECT trace_id, argMinIf(toString(channel), ts, channel != '') p FROM spans WHERE ${W} GROUP BY trace_id)`)
await q('argMinIf lc', `SELECT max(p) FROM (SELECT trace_id, argMinIf(channel, ts, channel != '') p FROM spans WHERE ${W} GROUP BY trace_id)`)
await q('argMinIf hash', `SELECT max(p) FROM (SELECT trace_id, argMinIf(toUInt64(cityHash64(channel)), ts, channel != '') p FROM spans WHERE ${W} GROUP BY trace_id)`)
await q('maxIf str', `SELECT max(p) FROM (SELECT trace_id, max(channel) p FROM spans WHERE ${W} GROUP BY trace_id)`)
await q('ids arrays', `SELECT sum(length(ids)+length(a)+length(b)+length(c)) FROM (SELECT trace_id, groupArray(reinterpretAsUInt64(span_id)) AS ids,groupArrayIf(reinterpretAsUInt64(span_id), kind IN (2, 5)) AS a, groupArrayIf(reinterpretAsUInt64(parent_id), kind IN (2, 5)) AS b,   groupArrayIf(ts, kind IN (2, 5)) AS c FROM spans WHERE ${W} GROUP BY trace_id)`)
await q('countIf root', `SELECT sum(c) FROM (SELECT trace_id, countIf(kind IN (2,5) AND parent_id = toFixedString('', 8)) AS c FROM spans WHERE ${W} GROUP BY trace_id)`)
await q('distinct svc', `SELECT DISTINCT service, version FROM spans WHERE ${W}`)
await q('limit by', `SELECT service, version, toUInt64(cityHash64(service)) * 31 + toUInt64(cityHash64(version)) AS h FROM spans WHERE ${W} LIMIT 1 BY h`)
await q('distinct teller', `SELECT DISTINCT teller FROM spans WHERE ${W}`)
await q('entries read', `SELECT max(cityHash64(operation, txn_code, channel, site, region, branch, teller, client_version, caller)) FROM spans WHERE ${W} AND kind IN (2,5)`)
await q('group trace,res', `SELECT count(), sum(a) FROM (SELECT trace_id, res_id, sumIf(duration_ns, kind = 2) a FROM spans WHERE ${W} GROUP BY trace_id, res_id)`)
await q('group hash trace,res', `SELECT count(), sum(a) FROM (SELECT bitXor(reinterpretAsUInt64(trace_id), res_id) AS k, sumIf(duration_ns, kind = 2) a FROM spans WHERE ${W} GROUP BY k)`)
await q('in set root', `SELECT count() FROM spans WHERE ${W} AND trace_id IN (SELECT trace_id FROM spans WHERE ${W} AND outcome >= 3)`)
await store.close()
