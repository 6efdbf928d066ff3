// One answer for those who ask the same at the same time: a wall of screens costs as much as one.

/** What is asked to the second is as new a second later. */
export const SHARED_MS = 1000

/**
 * @param keptMs  how long an answer is given again after it came; a failure is given to those who wait and then forgotten
 * @returns a function that runs the work of a key unless it runs already or has just answered
 */
export function buildSharedAnswers<Answer>(keptMs: number) {
  const answers = new Map<string, Promise<Answer>>()
  return (key: string, work: () => Promise<Answer>): Promise<Answer> => {
    const known = answers.get(key)
    if (known !== undefined) return known
    const answer = work()
    answers.set(key, answer)
    const forget = () => void answers.delete(key)
    answer.then(() => setTimeout(forget, keptMs).unref(), forget)
    return answer
  }
}
