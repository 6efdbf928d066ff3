// What is wrong with an input: where, and what to do about it. Every check of this folder answers in this shape.

export type Problem = {
  /** Path inside the input, as `burn.pairs[0].factor`. */
  readonly place: string
  /** What is wrong and the remedy, one sentence. */
  readonly message: string
}
