// Finds the Chromium that browser tests drive. Nothing is downloaded here.

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome'] as const

/**
 * @param path where to look, as in the environment variable PATH
 * @throws Error that says what to install when there is no browser
 */
export function findChromium(path = process.env['PATH'] ?? ''): string {
  for (const name of names) {
    for (const folder of path.split(delimiter)) {
      if (folder === '') continue
      const file = join(folder, name)
      try {
        accessSync(file, constants.X_OK)
        return file
      } catch {
        // Not here; the next folder may have it.
      }
    }
  }
  throw new Error(
    `Browser tests need one of ${names.join(', ')} on PATH. Install it, for example: apt-get install chromium`,
  )
}

// What a page waits for comes; the limit is for what stands still.
const PATIENCE_MS = 120_000

/** A headless browser that talks to nobody but the pages under test. The caller closes it. */
export async function openChromium(): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: findChromium(),
    // Tests run as root in containers, where Chromium's sandbox cannot start.
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  const newContext = browser.newContext.bind(browser)
  browser.newContext = async (options) => {
    const context = await newContext(options)
    context.setDefaultTimeout(PATIENCE_MS)
    return context
  }
  return browser
}
