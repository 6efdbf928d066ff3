// Installs what a fresh machine lacks, says what it does, and does nothing the second time.
//
//   node deploy/setup.mjs          the npm packages (what `npm start` needs)
//   node deploy/setup.mjs test     also Apache Kafka's jars, Prometheus, a PostgreSQL server and a Chromium (what `npm test` needs)
//
// Plain JavaScript, because it runs before Node 24 is there. Stamps say what was installed; a stamp
// names its cause (a hash of the lock file, a version), so a change of cause installs anew.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = `${root}.cache`

/** The Node that every part of Surety runs under. */
export const pinnedNode = `${root}node_modules/node/bin/node`

/** Where Kafka's jars are after `node deploy/setup.mjs test`. */
export const kafkaJars = `${cache}/kafka`

function say(text) {
  console.error(`[setup] ${text}`)
}

function run(command, args, remedy) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
  if (status === 0) return
  console.error(
    `[setup] «${command} ${args.join(' ')}» failed (${error ? error.message : `exit ${status}`}). ${remedy}`,
  )
  process.exit(1)
}

function hasCommand(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0
}

export function installPackages() {
  const stampPath = `${root}node_modules/.surety-stamp`
  const wanted = createHash('sha256')
    .update(readFileSync(`${root}package-lock.json`))
    .digest('hex')
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === wanted) return
  say('installing the npm packages, about 1.1 GB with the ClickHouse engine: half a minute on a fast line …')
  run(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--loglevel=error'],
    'Check the network and the npm registry, then run the command again.',
  )
  writeFileSync(stampPath, wanted)
  say('npm packages are in place')
}

function installKafka() {
  const pom = `${root}deploy/kafka/pom.xml`
  const wanted = createHash('sha256').update(readFileSync(pom)).digest('hex')
  const stampPath = `${kafkaJars}/.stamp`
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === wanted) return
  if (!hasCommand('java') || !hasCommand('mvn')) {
    console.error(
      '[setup] Apache Kafka needs Java 17 and Maven: apt-get install openjdk-17-jre-headless maven',
    )
    process.exit(1)
  }
  say("fetching Apache Kafka's jars by Maven, about 44 MB …")
  rmSync(kafkaJars, { recursive: true, force: true })
  mkdirSync(kafkaJars, { recursive: true })
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'
  const args = ['-q', '-B', '-f', pom, goal, '-DincludeScope=runtime', `-DoutputDirectory=${kafkaJars}`]
  run('mvn', args, 'Check the network and Maven Central, then run the command again.')
  writeFileSync(stampPath, wanted)
  say(
    `Apache Kafka is in place (${readdirSync(kafkaJars).filter((name) => name.endsWith('.jar')).length} jars)`,
  )
}

const postgresCache = `${cache}/postgresql`

/** Whether one of these has a PostgreSQL server that runs; the tests look in the same places. */
function hasPostgres(roots = ['/usr/lib/postgresql', `${postgresCache}/usr/lib/postgresql`]) {
  return roots.some(
    (folder) =>
      existsSync(folder) &&
      readdirSync(folder).some(
        (version) =>
          spawnSync(`${folder}/${version}/bin/postgres`, ['--version'], { stdio: 'ignore' }).status === 0,
      ),
  )
}

/**
 * A PostgreSQL server for the registry's tests. Unpacked beside the project, nothing of the machine changes; installed only where
 * libraries that it needs are missing, and then without the server that Debian would start.
 */
function installPostgres() {
  if (hasPostgres()) return
  const remedy = 'Install PostgreSQL 15 or newer (apt-get install postgresql), then run the command again.'
  if (!hasCommand('apt-get') || !hasCommand('dpkg')) {
    console.error(`[setup] the tests need a PostgreSQL server. ${remedy}`)
    process.exit(1)
  }
  say('fetching a PostgreSQL server by apt-get, about 17 MB (for the tests) …')
  const isKnown = () => /Candidate: \S*\d/.test(textOf('apt-cache', ['policy', 'postgresql']))
  if (!isKnown()) aptGet(['update'], remedy)
  const server =
    /\bpostgresql-\d+\b/.exec(textOf('apt-cache', ['depends', 'postgresql']))?.[0] ?? 'postgresql'
  rmSync(postgresCache, { recursive: true, force: true })
  mkdirSync(postgresCache, { recursive: true })
  // apt-get writes where it stands.
  const fetched = spawnSync('apt-get', ['-qq', 'download', server, 'libpq5'], {
    cwd: postgresCache,
    stdio: 'ignore',
  })
  if (fetched.status === 0)
    for (const name of readdirSync(postgresCache).filter((file) => file.endsWith('.deb'))) {
      run('dpkg', ['-x', `${postgresCache}/${name}`, postgresCache], remedy)
      rmSync(`${postgresCache}/${name}`)
    }
  if (!hasPostgres()) {
    rmSync(postgresCache, { recursive: true, force: true })
    const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']
    const keepQuiet =
      'mkdir -p /etc/postgresql-common && f=/etc/postgresql-common/createcluster.conf && { [ -e $f ] || echo "create_main_cluster = false" > $f; }'
    run('env', [...asRoot, 'sh', '-c', keepQuiet], remedy)
    aptGet(['update'], remedy)
    aptGet(['install', '-y', '--no-install-recommends', server], remedy)
  }
  if (!hasPostgres()) {
    console.error(`[setup] the PostgreSQL server does not run. ${remedy}`)
    process.exit(1)
  }
  say('a PostgreSQL server is in place')
}

function textOf(command, args) {
  return spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } }).stdout ?? ''
}

function aptGet(words, remedy) {
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  run('env', ['DEBIAN_FRONTEND=noninteractive', ...asRoot, 'apt-get', '-qq', ...words], remedy)
}

/** What the tests use of the system: a browser, a font for Chinese pages, openssl for certificates. */
/** Where promtool and prometheus are after `node deploy/setup.mjs test`. */
const prometheusPrograms = `${cache}/prometheus/usr/bin`

/** Debian's package, unpacked and not installed: its programs need nothing else, and nobody wants its daemon running. */
function installPrometheus() {
  if (existsSync(`${prometheusPrograms}/promtool`)) return
  const remedy =
    'The tests compare burn rates with Prometheus 2.42: put its promtool and prometheus into .cache/prometheus/usr/bin, then run the command again.'
  if (!hasCommand('apt-get') || !hasCommand('dpkg-deb')) {
    console.error(`[setup] ${remedy}`)
    process.exit(1)
  }
  say("fetching Prometheus from Debian's archive, about 20 MB (for the tests) …")
  const folder = `${cache}/prometheus`
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const download = ['-qq', 'download', 'prometheus']
  if (spawnSync('apt-get', download, { cwd: folder, stdio: 'ignore' }).status !== 0) {
    const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']
    run('env', [...asRoot, 'apt-get', '-qq', 'update'], remedy)
    run('env', ['-C', folder, 'apt-get', ...download], remedy)
  }
  const [archive] = readdirSync(folder)
  run('dpkg-deb', ['-x', `${folder}/${archive}`, folder], remedy)
  rmSync(`${folder}/${archive}`)
  say('Prometheus is in place')
}

function installSystemPackages() {
  const packages = []
  if (!['chromium', 'chromium-browser', 'google-chrome'].some(hasCommand))
    packages.push('chromium', 'fonts-noto-cjk')
  if (!hasCommand('openssl')) packages.push('openssl')
  if (packages.length === 0) return
  if (!hasCommand('apt-get')) {
    console.error(
      `[setup] the tests need ${packages.join(', ')}: install these packages, then run the command again.`,
    )
    process.exit(1)
  }
  say(`installing ${packages.join(', ')} by apt-get (for the tests) …`)
  const remedy = `Install ${packages.join(', ')} by hand, then run the command again.`
  aptGet(['update'], remedy)
  aptGet(['install', '-y', '--no-install-recommends', ...packages], remedy)
  say(`${packages.join(', ')} ${packages.length === 1 ? 'is' : 'are'} in place`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installPackages()
  if (process.argv[2] === 'test') {
    installKafka()
    installPostgres()
    installPrometheus()
    installSystemPackages()
  }
}
