import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { REPOSITORY } from './source-files.ts'

export interface Snippet {
  /** Where it stands: `docs/stores.md:12`. */
  readonly at: string
  readonly language: string
  /** The second word after the fence. */
  readonly mark: string | undefined
  readonly code: string
}

/** The pages that users read: the README and everything in `docs/`. */
export function pages(): { path: string; text: string }[] {
  const docs = readdirSync(join(REPOSITORY, 'docs'), { recursive: true, encoding: 'utf8' })
    .map(name => name.replaceAll('\\', '/'))
    .filter(name => name.endsWith('.md') && !/^(node_modules|\.vitepress)\//.test(name))
  return ['README.md', ...docs.sort().map(name => `docs/${name}`)].map(path => ({
    path,
    text: readFileSync(join(REPOSITORY, path), 'utf8'),
  }))
}

export function snippets(): Snippet[] {
  return pages().flatMap(({ path, text }) =>
    [...text.matchAll(/^```([a-z]*)(?: +(\S+))?\n([\s\S]*?)^```$/gm)].map(match => ({
      at: `${path}:${text.slice(0, match.index).split('\n').length}`,
      language: match[1]!,
      mark: match[2],
      code: match[3]!,
    })),
  )
}

/** What the `//=>` comments of a snippet say that it prints, line by line. */
export function expectedOutput(code: string): string[] {
  return [...code.matchAll(/\/\/=> ?(.*)$/gm)].map(match => match[1]!)
}

/** Its language, and what is done with it. */
export function kindOf({ language, mark }: Snippet): string {
  return mark === undefined ? language : `${language} ${mark}`
}
