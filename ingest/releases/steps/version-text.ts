// Versions in what tools say: in a git ref, in the tag of an image.

/** `v2.14.0`, `2.14`, `release-2024.10`: what a service could call its own version; a branch is none. */
export const looksLikeVersion = (ref: string) =>
  /^(?:v|release[-/])?\d+(?:\.\d+)+(?:[-+.][\w.+-]*)?$/i.test(ref)

/** `registry:5000/bank/pay:2.4.1@sha256:…` → name, tag and digest, each empty when there is none. */
export function imageParts(image: string): {
  readonly name: string
  readonly tag: string
  readonly digest: string
} {
  const at = image.indexOf('@')
  const digest = at === -1 ? '' : image.slice(at + 1)
  const path = at === -1 ? image : image.slice(0, at)
  const last = path.slice(path.lastIndexOf('/') + 1)
  const colon = last.indexOf(':')
  return {
    name: colon === -1 ? last : last.slice(0, colon),
    tag: colon === -1 ? '' : last.slice(colon + 1),
    digest,
  }
}

/** What telemetry would call the version of an image: its tag, else its digest. */
export function imageVersion(image: string): string {
  const { tag, digest } = imageParts(image)
  return tag === '' ? digest : tag
}
