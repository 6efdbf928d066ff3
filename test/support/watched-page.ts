// A page whose complaints are collected: errors and warnings of the console, exceptions, dialogs.

import type { Browser, BrowserContext, Page } from 'playwright-core'

export type WatchedPage = {
  readonly context: BrowserContext
  readonly page: Page
  readonly complaints: readonly string[]
}

/** @param isOurs  complaints that the test itself causes */
export async function openWatchedPage(
  browser: Browser,
  viewport: { readonly width: number; readonly height: number },
  isOurs: (text: string) => boolean = () => false,
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport, locale: 'en-US' })
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !isOurs(message.text()))
      complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  return { context, page, complaints }
}
