// For what a test knows to be there by its own making.

/** @throws Error when it is not */
export function present<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined) throw new Error('what the test made is not there')
  return value
}
