import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))

export interface SourceFile {
  /** From `src/`, with slashes: `flow/call/call.ts`. */
  readonly path: string
  readonly text: string
}

/**
 * `type` is `import type`/`export type`, which leaves nothing at run time. `import { type A }` is `static`: with
 * verbatimModuleSyntax it still loads the module.
 */
export type ImportKind = 'static' | 'type' | 'dynamic'

export interface Import {
  readonly kind: ImportKind
  /** As written; `undefined` where a dynamic import computes it. */
  readonly specifier: string | undefined
}

export function sourceFiles(): SourceFile[] {
  const root = `${REPOSITORY}src/`
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map(path => path.replaceAll('\\', '/'))
    .filter(path => path.endsWith('.ts'))
    .sort()
    .map(path => ({ path, text: readFileSync(root + path, 'utf8') }))
}

const CLAUSE = String.raw`(?:[\w$]+\s*,\s*)?(?:[\w$]+|\*\s+as\s+[\w$]+|\{[^}]*\})`
const STATIC_IMPORT = new RegExp(
  String.raw`^import\s+(type\s+)?(?:${CLAUSE}\s+from\s+)?['"]([^'"]+)['"]`,
  'gm',
)
const RE_EXPORT = /^export\s+(type\s+)?(?:\*(?:\s+as\s+[\w$]+)?|\{[^}]*\})\s+from\s+['"]([^'"]+)['"]/gm
const DYNAMIC_IMPORT = /\bimport\(\s*(?:['"`]([^'"`$]+)['"`])?/g

/** All imports of a file. The formatter sees to it that statements begin their line, so patterns are enough. */
export function importsOf(text: string): Import[] {
  const code = withoutComments(text)
  const found: Import[] = []
  for (const pattern of [STATIC_IMPORT, RE_EXPORT]) {
    for (const [, type, specifier] of code.matchAll(pattern)) {
      found.push({ kind: type ? 'type' : 'static', specifier })
    }
  }
  for (const [, specifier] of code.matchAll(DYNAMIC_IMPORT)) found.push({ kind: 'dynamic', specifier })
  return found
}

/** Whole-line comments only: the style has no others that could hold code. */
export function withoutComments(text: string): string {
  return text.replace(/^\s*(?:\/\*[\s\S]*?\*\/|\/\/.*)\s*$/gm, '')
}

/** Where a relative specifier of `from` leads, from `src/`. */
export function resolveWithin(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1)
}
