import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { REPOSITORY } from '../package/source-files.ts'

const DIST = join(REPOSITORY, 'dist')

describe('the published declarations', () => {
  it('are there', () => {
    expect(existsSync(join(DIST, 'index.d.ts')), 'Run `npm run build` first.').toBe(true)
  })

  it('never say any, written or inferred', () => {
    const paths = readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter(path =>
      path.endsWith('.d.ts'),
    )
    const found = paths.flatMap(path =>
      code(readFileSync(join(DIST, path), 'utf8'))
        .split('\n')
        .filter(line => /\bany\b/.test(line))
        .map(line => `${path}: ${line.trim()}`),
    )
    expect(paths.length).toBeGreaterThan(20)
    expect(found, 'any switches checking off for users. Say unknown, or the type.').toEqual([])
  })
})

/** Without comments and without what stands in quotes: words there are not types. */
function code(declarations: string): string {
  return declarations.replace(/\/\*[\s\S]*?\*\/|\/\/.*|'[^'\n]*'|"[^"\n]*"|`[^`]*`/g, '')
}
