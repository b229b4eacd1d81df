import { readFileSync } from 'node:fs'
import { SAFE_HEADERS } from './http.ts'

const TYPES = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
} as const

type PageFile = keyof typeof TYPES

/** The files of the page. They are read once, when somebody first looks. */
export class PageFiles {
  readonly #read = new Map<PageFile, Uint8Array<ArrayBuffer>>()

  /** @param folder where they lie */
  constructor(private readonly folder: URL) {}

  /** Undefined: the page has no file of that name. */
  answer(name: string): Response | undefined {
    if (!Object.hasOwn(TYPES, name)) return undefined
    const file = name as PageFile
    const headers = { ...SAFE_HEADERS, 'content-type': TYPES[file] }
    return new Response(this.#contentOf(file), { headers })
  }

  #contentOf(file: PageFile): Uint8Array<ArrayBuffer> {
    const content = this.#read.get(file) ?? new Uint8Array(readFileSync(new URL(file, this.folder)))
    this.#read.set(file, content)
    return content
  }
}
