// `surety user password NAME`: for whoever lost it, the admin included.

import { buildApiClient, CommandError } from './api-client.ts'

export const USER_HELP = `surety user password NAME [--reason TEXT]

Gives a user a password that is good for one sign-in, where he has to replace it; his sessions end. Asks the running Surety
(SURETY_URL): on its own machine as whoever may read SURETY_DATA_DIR, elsewhere with SURETY_TOKEN (scope administer).`

export async function userCommand(
  values: Readonly<Record<string, string | boolean | undefined>>,
  words: readonly string[],
): Promise<number> {
  const [verb, name, ...others] = words
  if (verb !== 'password' || name === undefined || others.length > 0)
    throw new CommandError(`Name what and whom.\n\n${USER_HELP}`)
  const query = new URLSearchParams({ reason: String(values['reason'] ?? '') }).toString()
  const path = `/api/v1/registry/users/${encodeURIComponent(name)}/password?${query}`
  const { password } = await buildApiClient(process.env).post<{ password: string }>(path)
  console.log(password)
  return 0
}
