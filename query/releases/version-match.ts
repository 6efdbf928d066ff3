// Whether a tool and telemetry mean the same version: `v2.4.1` and `2.4.1`, a commit and its short form.

const HEX = /^[0-9a-f]{7,64}$/i

const bare = (version: string) => version.toLowerCase().replace(/^(?:v|sha\d+:)(?=[0-9a-f])/, '')

export function isSameVersion(told: string, seen: string): boolean {
  if (told === '' || seen === '') return false
  const [a, b] = [bare(told), bare(seen)]
  if (a === b) return true
  return HEX.test(a) && HEX.test(b) && (a.startsWith(b) || b.startsWith(a))
}

/** A commit or a digest: telemetry may well say something that people can read instead. */
export const isRevision = (version: string): boolean =>
  HEX.test(bare(version)) && /[a-f]/i.test(bare(version))
