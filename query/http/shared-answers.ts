// One answer for those who ask the same while it is being made: a wall of screens costs as much as one. An answer that was given is
// not given again, so whoever asks after his data was taken sees them.

/** @returns a function that runs the work of a key unless it runs already */
export function buildSharedAnswers<Answer>() {
  const underWay = new Map<string, Promise<Answer>>()
  return (key: string, work: () => Promise<Answer>): Promise<Answer> => {
    const known = underWay.get(key)
    if (known !== undefined) return known
    const answer = work().finally(() => underWay.delete(key))
    underWay.set(key, answer)
    return answer
  }
}
