import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { REPOSITORY, resolveWithin, sourceFiles } from './source-files.ts'

const manifest = JSON.parse(readFileSync(`${REPOSITORY}package.json`, 'utf8')) as {
  exports: Record<string, string | { types: string }>
}
const textOf = new Map(sourceFiles().map(({ path, text }) => [path, text]))

/** What an entry point exports, with the text that declares it. */
function exportsOf(path: string): Array<{ name: string; declared: string }> {
  const text = textOf.get(path) ?? ''
  const named = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from '([^']+)'/gm)].flatMap(
    ([, names = '', from = '']) =>
      names
        .split(',')
        .map(name => name.trim().replace(/^type /, ''))
        .filter(name => name !== '')
        .map(name => ({ name: name.split(' as ')[0] as string, declared: resolveWithin(path, from) })),
  )
  const own = [...text.matchAll(DECLARATION)].map(([, name = '']) => ({ name, declared: path }))
  return [...named, ...own]
}

const DECLARATION =
  /^export (?:declare |abstract |async )*(?:class|interface|type|const|let|function\*?) (\w+)/gm

/** Whether a comment for readers stands right before the declaration, there or where it is passed on from. */
function isDocumented(name: string, path: string): boolean {
  const text = textOf.get(path) ?? ''
  const here = [...text.matchAll(DECLARATION)].filter(found => found[1] === name)
  if (here.length > 0) return here.some(({ index }) => text.slice(0, index).trimEnd().endsWith('*/'))
  return exportsOf(path).some(one => one.name === name && isDocumented(name, one.declared))
}

const entryPoints = Object.values(manifest.exports).flatMap(target =>
  typeof target === 'string' ? [] : [target.types.replace('./dist/', '').replace('.d.ts', '.ts')],
)

it.each(entryPoints)('every export of %s says what it is', path => {
  const exported = exportsOf(path)
  expect(exported.length).toBeGreaterThan(0)
  const silent = exported
    .filter(({ name, declared }) => !isDocumented(name, declared))
    .map(({ name }) => name)
  expect(silent, 'Write a docstring: shapes, units, defaults, errors.').toEqual([])
})
