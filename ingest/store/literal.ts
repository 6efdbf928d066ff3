// Texts inside SQL. Only our own texts (paths, schemas, tokens, configured codes) are ever written this way;
// what others send binds as a parameter or travels as bytes.

/** A text as an SQL string literal. */
export function literal(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
