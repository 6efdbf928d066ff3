// Copies the text of an element. Without a clipboard (a page that is not on HTTPS or loopback has none) it is marked instead.

export async function copyFrom(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent)
    return true
  } catch {
    getSelection()?.selectAllChildren(element)
    return false
  }
}
