// Completes package-lock.json with the platform packages that a registry does not offer.
//
// `npm install` leaves an optional platform package out of the lock file when the registry at
// hand lacks it, and `npm ci` then refuses the lock file. Run this after changing dependencies
// (`npm run lock`); entries that exist are left alone.

import { readFileSync, writeFileSync } from 'node:fs'

const lockUrl = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(lockUrl, 'utf8'))
const known = new Set(Object.keys(lock.packages).map((path) => path.split('node_modules/').pop()))

const OPERATING_SYSTEMS = ['linux', 'darwin', 'win32', 'android', 'freebsd', 'openharmony']
const PROCESSORS = {
  x64: 'x64',
  ia32: 'ia32',
  arm64: 'arm64',
  arm: 'arm',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
}

for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    if (known.has(name)) continue
    const words = name.split(/[/-]/)
    const os = OPERATING_SYSTEMS.filter((word) => words.includes(word))
    const cpu = words.flatMap((word) => PROCESSORS[word] ?? [])
    if (os.length === 0) continue
    const libc = words.includes('gnu') ? ['glibc'] : words.includes('musl') ? ['musl'] : undefined
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(cpu.length > 0 && { cpu }),
      ...(libc && os.includes('linux') && { libc }),
      optional: true,
      os,
    }
    console.log(`added ${name} ${version}`)
  }
}

lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(lockUrl, `${JSON.stringify(lock, null, 2)}\n`)
