// Which versions of their software phones and counter terminals run: most the current one, some lag behind. Facts only.

export type Channel = 'mobile' | 'counter'

/** Shares of a channel add up to 1. */
export const CLIENT_VERSIONS: Readonly<
  Record<Channel, readonly { readonly version: string; readonly share: number }[]>
> = {
  mobile: [
    { version: 'app-9.1.0', share: 0.55 },
    { version: 'app-9.0.2', share: 0.3 },
    { version: 'app-8.7.5', share: 0.15 },
  ],
  counter: [
    { version: 'teller-5.6.1', share: 0.75 },
    { version: 'teller-5.5.4', share: 0.25 },
  ],
}

/** @param place in [0, 1): where the client stands among all of its channel */
export function clientVersionAt(channel: Channel, place: number): string {
  let left = place
  for (const { version, share } of CLIENT_VERSIONS[channel]) {
    if (left < share) return version
    left -= share
  }
  // The shares add up to 1 but for the last bit of a sum of fractions.
  return CLIENT_VERSIONS[channel].at(-1)?.version ?? ''
}
