import { useEffect, useState } from 'preact/hooks'

/** What is opened stands in the address, so that it can be kept and sent: `#files:3f…`, with a part `#files:3f…#/rows/3`. */
export interface Route {
  readonly ref: string
  /** `/rows/3`, `L10-L20`; empty for the whole. */
  readonly part: string
}

export function parseRoute(hash: string): Route | undefined {
  const text = decoded(hash.replace(/^#/, ''))
  if (text === '') return undefined
  const end = text.indexOf('#')
  return end < 0 ? { ref: text, part: '' } : { ref: text.slice(0, end), part: text.slice(end + 1) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** The address of a reference on this page. */
export function hashOf(ref: string, part = ''): string {
  return `#${encodeURI(part === '' ? ref : `${ref}#${part}`)}`
}

export function useRoute(): Route | undefined {
  const [hash, setHash] = useState(location.hash)
  useEffect(() => {
    const listener = () => setHash(location.hash)
    addEventListener('hashchange', listener)
    return () => removeEventListener('hashchange', listener)
  }, [])
  return parseRoute(hash)
}

/** @param isStep one of many, as with arrow keys: the way back leads over it */
export function open(ref: string, isStep = false): void {
  if (isStep) replaceHash(hashOf(ref))
  else location.hash = hashOf(ref)
}

export function close(): void {
  replaceHash('')
}

function replaceHash(hash: string): void {
  history.replaceState(undefined, '', hash === '' ? location.pathname + location.search : hash)
  dispatchEvent(new HashChangeEvent('hashchange'))
}
