// A group of an SLO as one label: its value where it has one, else the key that names it everywhere.

/**
 * Two groups of an SLO never get the same label: a key is a JSON list and begins with «[», and a value that begins so, or that holds
 * what a label cannot carry, is told by its key.
 * @param groupKey  values as JSON; empty without groups
 */
export function groupLabel(groupKey: string): string {
  if (groupKey === '') return ''
  const values = JSON.parse(groupKey) as string[]
  const [value = ''] = values
  // oxlint-disable-next-line no-control-regex
  const isPlain = values.length === 1 && value !== '' && !/^\[|[\u0000-\u001f\u007f]/.test(value)
  return isPlain ? value : groupKey
}
