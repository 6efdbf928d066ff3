// When a promise changes: what stays comparable with the past. The question (what is counted, in which slices) decides
// whether slices are measured anew; the window and method decide whether its history goes on; the target changes neither.

export type Definition = {
  /** What is counted: the indicator as plain data; key order does not matter. */
  readonly question: unknown
  readonly stepMs: number
  readonly budgeting: unknown
  readonly window: unknown
  readonly objective: number
}

export type GenerationChange =
  | { readonly kind: 'same' }
  /** Figures change by arithmetic; slices and history stay. */
  | { readonly kind: 'recalculated'; readonly changed: readonly string[] }
  | {
      readonly kind: 'new-generation'
      /** What changed, as words of the definition. */
      readonly changed: readonly string[]
      /** Stored slices answer another question: they are measured anew. */
      readonly isMeasuredAnew: boolean
    }

const PARTS = ['question', 'stepMs', 'budgeting', 'window', 'objective'] as const

export function generationChange(before: Definition, after: Definition): GenerationChange {
  const changed = PARTS.filter((part) => canonical(before[part]) !== canonical(after[part]))
  if (changed.length === 0) return { kind: 'same' }
  if (changed.every((part) => part === 'objective')) return { kind: 'recalculated', changed }
  return {
    kind: 'new-generation',
    changed,
    isMeasuredAnew: changed.includes('question') || changed.includes('stepMs'),
  }
}

/** JSON with sorted keys; what JSON leaves out is left out. */
function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(
            Object.entries(inner)
              .filter(([, content]) => content !== undefined)
              .toSorted(([a], [b]) => (a < b ? -1 : Number(a > b))),
          )
        : inner,
    ) ?? ''
  )
}
