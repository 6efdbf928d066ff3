// The version in a package URL: `pkg:oci/payment@sha256%3A0b31…?tag=2.4.1`. Nothing else of it is needed.
// Source: package-url/purl-spec, "How to parse a purl string".

/**
 * @param purl any text; what is no package URL has no version
 * @returns `readable` is the version, or the `tag` qualifier when the version is a digest; `digest` is such
 *          a digest; each empty when there is none
 */
export function purlVersion(purl: string): { readonly readable: string; readonly digest: string } {
  if (!purl.startsWith('pkg:')) return { readable: '', digest: '' }
  const withoutSubpath = purl.split('#', 1)[0] ?? ''
  const question = withoutSubpath.indexOf('?')
  const path = question === -1 ? withoutSubpath : withoutSubpath.slice(0, question)
  const qualifiers = question === -1 ? '' : withoutSubpath.slice(question + 1)
  // An npm scope may stand unencoded (pkg:npm/@bank/ui@1.0.0), so only an @ after the last slash counts.
  const name = path.slice(path.lastIndexOf('/') + 1)
  const at = name.lastIndexOf('@')
  const version = at === -1 ? '' : decoded(name.slice(at + 1))
  if (version !== '' && !/^sha\d+:/i.test(version)) return { readable: version, digest: '' }
  return { readable: qualifier(qualifiers, 'tag'), digest: version }
}

function qualifier(qualifiers: string, key: string): string {
  for (const pair of qualifiers.split('&')) {
    const equals = pair.indexOf('=')
    if (equals !== -1 && pair.slice(0, equals).toLowerCase() === key) return decoded(pair.slice(equals + 1))
  }
  return ''
}

/** Percent-decoded, or as it stands when that is malformed. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
