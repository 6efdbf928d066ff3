// What is wrong with a recording, all of it at once: file, place, what and what to do. Ends with 2 before anything was begun.

export class BadInput extends Error {
  readonly code = 'SURETY_REPLAY_INPUT'

  constructor(problems: readonly string[]) {
    const shown = problems.slice(0, PROBLEMS_MAX)
    const more = problems.length - shown.length
    super(
      [
        'The recording cannot be replayed; nothing was:',
        ...shown.map((line) => `  ${line}`),
        ...(more > 0 ? [`  … and ${more} more`] : []),
      ].join('\n'),
    )
    this.name = 'BadInput'
  }
}

const PROBLEMS_MAX = 50
