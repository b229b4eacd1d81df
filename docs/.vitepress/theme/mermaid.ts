import address from '@mermaid-js/tiny/dist/mermaid.tiny.js?url'

interface Mermaid {
  initialize(settings: { startOnLoad: boolean; theme: string }): void
  render(id: string, text: string): Promise<{ svg: string }>
}

let loaded: Promise<Mermaid> | undefined

/**
 * Larger than the rest of the site: loaded once, by pages that have a diagram alone. It is made for a script element, and as a module it
 * fails.
 */
export function loadMermaid(): Promise<Mermaid> {
  loaded ??= new Promise((resolve, reject) => {
    const script = document.createElement('script')
    script.src = address
    script.onload = () => resolve((globalThis as unknown as { mermaid: Mermaid }).mermaid)
    script.onerror = () => reject(new Error(`${address} could not be loaded.`))
    document.head.append(script)
  })
  return loaded
}
