// Signing in and out on the page: a button in the head, and a form where it is asked for. A password that was told once is replaced
// in the same form before anything else is shown.

import type { Words } from '../i18n/words.ts'
import type { Refusal, SessionApi, Who } from '../session.ts'

export interface SignIn {
  /** Brings texts and visibility up to date. @param isAsked  the API asks who we are */
  render(words: Words, isAsked: boolean): void
  /** Asks who is signed in. */
  load(): Promise<void>
}

export type SignInParts = {
  readonly session: SessionApi
  readonly byId: (id: string) => HTMLElement
  /** Somebody signed in or out: everything is to be asked again. */
  readonly onChange: () => void
}

export function buildSignIn({ session, byId, onChange }: SignInParts): SignIn {
  let who: Who | undefined
  let isWanted = false
  let isAsked = false
  let refusal: Refusal | undefined
  let words: Words | undefined

  const field = (id: string) => byId(id) as HTMLInputElement
  const isUser = () => who?.kind === 'user'
  const mustChange = () => isUser() && who?.mustChangePassword === true

  function draw(): void {
    if (words === undefined) return
    const said = words
    const text: Words['text'] = (key, values) => said.text(key, values)
    const button = byId('session')
    button.textContent = isUser() ? text('signOut', { name: who?.displayName ?? '' }) : text('signIn')
    const isShown = mustChange() || (!isUser() && (isWanted || isAsked))
    byId('sign-in-form').hidden = !isShown
    byId('sign-in-user-label').textContent = text('userName')
    byId('sign-in-password-label').textContent = mustChange() ? text('oneTimePassword') : text('password')
    byId('sign-in-new-label').textContent = text('newPassword')
    byId('sign-in-user-part').hidden = mustChange()
    byId('sign-in-new-part').hidden = !mustChange()
    byId('sign-in-go').textContent = mustChange() ? text('changePassword') : text('signIn')
    byId('sign-in-problem').textContent = told(words)
  }

  function told(said: Words): string {
    if (refusal === undefined) return mustChange() ? said.text('passwordToChange') : ''
    if (refusal.code === 'SURETY_SIGN_IN_REFUSED') return said.text('signInRefused')
    return `${refusal.detail} (${refusal.code})`
  }

  async function load(): Promise<void> {
    who = await session.who()
    draw()
  }

  async function submit(): Promise<void> {
    const [password, next] = [field('sign-in-password'), field('sign-in-new')]
    if (mustChange()) {
      refusal = await session.changePassword(password.value, next.value)
    } else {
      const answer = await session.signIn(field('sign-in-user').value.trim(), password.value)
      refusal = 'detail' in answer ? answer : undefined
      who = 'detail' in answer ? who : answer
      // The one-time password stays in its field, to be sent along with the new one.
      if (mustChange()) return draw()
    }
    if (refusal !== undefined) return draw()
    password.value = ''
    next.value = ''
    isWanted = false
    await load()
    onChange()
  }

  byId('session').addEventListener('click', () => {
    if (!isUser()) {
      isWanted = !isWanted
      draw()
      if (isWanted) field('sign-in-user').focus()
      return
    }
    void session.signOut().then(async () => {
      await load()
      onChange()
    })
  })
  byId('sign-in-form').addEventListener('submit', (event) => {
    event.preventDefault()
    submit().catch(() => {
      refusal = { code: 'SURETY_UNREACHABLE', detail: words?.text('networkFailed') ?? '' }
      draw()
    })
  })

  return {
    render(given, asked) {
      words = given
      isAsked = asked
      draw()
    },
    load,
  }
}
