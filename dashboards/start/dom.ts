// Building elements and bringing a shown tree up to date. Every text goes in as a text node and every attribute
// by setAttribute; nothing here, or anywhere in these pages, writes markup from strings.

type Child = Node | string | undefined

type AttributeValue = string | number | boolean | undefined

/** @param attributes `true` writes an empty attribute; `false` and `undefined` leave it out */
export function el<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, AttributeValue>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes))
    if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value))
  for (const child of children) if (child !== undefined) element.append(child)
  return element
}

/**
 * Makes the children of `shown` equal to `wanted`, changing only what differs: focus, selected text, scrolling
 * and opened details survive a refresh every two seconds. Children with the same data-key are the same thing.
 */
export function update(shown: Element, ...wanted: readonly Child[]): void {
  const focused = document.activeElement
  const fresh = document.createElement('div')
  for (const child of wanted) if (child !== undefined) fresh.append(child)
  morphChildren(shown, fresh)
  // A row that moved has been taken out and put back, which drops its focus.
  if (focused instanceof HTMLElement && focused !== document.activeElement && shown.contains(focused))
    focused.focus({ preventScroll: true })
}

/** The element with this id, which index.html promises. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`index.html has no element #${id}`)
  return element
}

/** A modified click opens a tab of its own; that is the browser's business. */
export function isModifiedClick(event: MouseEvent): boolean {
  return event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey
}

function morphChildren(shown: Node, wanted: Node): void {
  const keyed = new Map<string, Node>()
  for (const child of shown.childNodes) {
    const key = keyOf(child)
    if (key !== undefined) keyed.set(key, child)
  }
  let cursor = shown.firstChild
  // A copy, because a child that moves over leaves the live list.
  for (const child of Array.from(wanted.childNodes)) {
    const key = keyOf(child)
    const match = key === undefined ? sameKind(cursor, child) : keyed.get(key)
    if (match === undefined || match === null) {
      shown.insertBefore(child, cursor)
      continue
    }
    if (key !== undefined) keyed.delete(key)
    if (match === cursor) cursor = cursor.nextSibling
    else shown.insertBefore(match, cursor)
    morph(match, child)
  }
  while (cursor !== null) {
    const next: ChildNode | null = cursor.nextSibling
    cursor.remove()
    cursor = next
  }
}

function morph(shown: Node, wanted: Node): void {
  if (!(shown instanceof HTMLElement) || !(wanted instanceof HTMLElement)) {
    if (shown.nodeValue !== wanted.nodeValue) shown.nodeValue = wanted.nodeValue
    return
  }
  for (const { name } of Array.from(shown.attributes))
    // Whether details are open is the reader's choice, not the data's.
    if (name !== 'open' && name !== 'style' && !wanted.hasAttribute(name)) shown.removeAttribute(name)
  for (const { name, value } of wanted.attributes)
    if (name !== 'style' && shown.getAttribute(name) !== value) shown.setAttribute(name, value)
  // Through CSSOM, because the page's policy refuses style attributes.
  if (shown.style.cssText !== wanted.style.cssText) shown.style.cssText = wanted.style.cssText
  morphChildren(shown, wanted)
}

function sameKind(shown: Node | null, wanted: Node): Node | undefined {
  return shown !== null && shown.nodeName === wanted.nodeName && keyOf(shown) === undefined
    ? shown
    : undefined
}

function keyOf(node: Node): string | undefined {
  return node instanceof HTMLElement ? node.dataset['key'] : undefined
}
