// Whether a text names a zone of the IANA database, and what was probably meant when it does not.

/** @returns undefined for a zone; else the remedy */
export function zoneProblem(text: string): string | undefined {
  // An offset is no zone: its rules for summer time are unknown.
  if (/^(?:[+-]|GMT[+-]|UTC[+-])/i.test(text))
    return 'an offset knows no summer time; name a place: Asia/Shanghai'
  let known: string
  try {
    known = new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone
  } catch {
    return 'write it as in the IANA database: Asia/Shanghai, Europe/Warsaw, UTC'
  }
  // Elsewhere zones are files, whose names heed upper and lower case.
  return known !== text && known.toLowerCase() === text.toLowerCase() ? `did you mean «${known}»?` : undefined
}
