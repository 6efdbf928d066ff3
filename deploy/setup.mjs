// Installs what a fresh machine lacks, says what it does, and does nothing the second time.
//
//   node deploy/setup.mjs          the npm packages (what `npm start` needs)
//   node deploy/setup.mjs test     also Apache Kafka's jars, Prometheus and a Chromium (what `npm test` needs)
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
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n']
  const remedy = `Install ${packages.join(', ')} by hand, then run the command again.`
  for (const words of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
    run('env', ['DEBIAN_FRONTEND=noninteractive', ...asRoot, 'apt-get', '-qq', ...words], remedy)
  }
  say(`${packages.join(', ')} ${packages.length === 1 ? 'is' : 'are'} in place`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  installPackages()
  if (process.argv[2] === 'test') {
    installKafka()
    installPrometheus()
    installSystemPackages()
  }
}
