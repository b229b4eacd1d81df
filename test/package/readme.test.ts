import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorOf } from '../../docs/.vitepress/anchor.mts'
import { type Outcome, runIn } from './installed.ts'
import { bin, installed, manifest, runSnippets, titled } from './installed-snippets.ts'
import { kindOf, pages, snippets } from './snippets.ts'
import { REPOSITORY } from './source-files.ts'

/**
 * The snippets of README.md and docs/ do what they say, against the packed package. The word after a fence's language says what is
 * done with it:
 *
 * - ts, js        each is a module of its own and is type-checked
 * - ts run        is run, too; its output is what its `//=>` comments say, line by line
 * - ts server     is started as an MCP server over stdio, and must offer get_cached_result
 * - ts wrapped    is started behind `wrap`, which must offer get_cached_result
 * - json          is JSON
 * - json wire     uses only field names of the wire
 * - json config   is a client's configuration; each of its servers is started, and must offer get_cached_result
 * - json servers  the same, all of them behind one `wrap`
 * - json settings is a config file for `wrap`, which must start with it
 * - sh            names only scripts and options that exist
 *
 * Other languages are not looked at. What docs/ would have run is run by docs.slow.test.ts. Run `npm run build` first; `npm test` does.
 */
const KNOWN = [
  'ts',
  'ts run',
  'ts server',
  'ts wrapped',
  'js',
  'json',
  'json wire',
  'json config',
  'json servers',
  'json settings',
  'sh',
  '',
]

const all = snippets()
const of = (...kinds: string[]) => all.filter(snippet => kinds.includes(kindOf(snippet)))

const WIRE_SOURCE = ['wire.ts', 'wire-admin.ts']
  .map(name => readFileSync(join(REPOSITORY, 'src/agent', name), 'utf8'))
  .join('\n')

const place = installed(all)
let help: Promise<Outcome> | undefined

describe('README.md', () => {
  const readme = pages()[0]!.text

  it('begins with the two commands', () => {
    const [first] = all.filter(({ at, language }) => at.startsWith('README.md') && language === 'sh')
    expect(first?.code).toBe('npm ci && npm run demo\nnpm ci && npm test\n')
  })

  it('is short enough to be read', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(150)
  })
})

describe('docs/wire-*.md', () => {
  const text = pages()
    .filter(({ path }) => path.startsWith('docs/wire-'))
    .map(page => page.text)
    .join('\n')

  it('explains every field and every code of the wire', () => {
    const fields = [...WIRE_SOURCE.matchAll(/^ +([a-z]+(?:_[a-z]+)+):/gm)].map(match => match[1]!)
    const codes = [...WIRE_SOURCE.matchAll(/^ +\| '([a-z_]+)'$/gm)].map(match => match[1]!)
    expect(fields.length).toBeGreaterThan(10)
    expect(codes.length).toBeGreaterThan(5)
    expect([...fields, ...codes].filter(name => !text.includes(`\`${name}\``))).toEqual([])
  })
})

describe('a page', () => {
  /** Pages that are made from docstrings are looked up, not read. */
  const limitOf = (path: string) => (path.startsWith('docs/reference/') ? 2_000 : 1_200)

  it('is short enough to be read', () => {
    const words = pages().map(({ path, text }) => ({ path, words: text.split(/\s+/).length }))
    expect(words.filter(one => one.words > limitOf(one.path))).toEqual([])
  })
})

describe('links', () => {
  it.each(pages().map(({ path, text }) => [path, text] as const))('of %s lead somewhere', (path, text) => {
    const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(match => match[1]!)
    const broken = targets.filter(target => !existsSync(join(REPOSITORY, dirname(path), target)))
    expect(broken).toEqual([])
  })

  const headings = new Map(pages().map(({ path, text }) => [path, headingsOf(text)]))

  it.each(pages().map(({ path, text }) => [path, text] as const))(
    'of %s find their headings',
    (path, text) => {
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]*)#([^)]+)\)/g)]
      const lost = links.filter(([, target = '', anchor = '']) => {
        const known = headings.get(target === '' ? path : join(dirname(path), target))
        return known !== undefined && !known.includes(anchor)
      })
      expect(lost.map(([link]) => link)).toEqual([])
    },
  )
})

describe('snippets', () => {
  it('are marked in a way that is known', () => {
    const unknown = all.filter(snippet => ['ts', 'js', 'json', 'sh'].includes(snippet.language))
    expect(unknown.filter(snippet => !KNOWN.includes(kindOf(snippet))).map(({ at }) => at)).toEqual([])
  })

  it('of code compile in a strict project', () => {
    expect(place.compiled.stdout).toBe('')
    expect(place.compiled.code).toBe(0)
  })

  runSnippets(
    place,
    all.filter(({ at }) => at.startsWith('README.md')),
  )

  it.each(titled(of('json', 'json wire', 'json config', 'json servers', 'json settings')))(
    '%s is JSON',
    (_, snippet) => {
      JSON.parse(snippet.code)
    },
  )

  it.each(titled(of('json wire')))('%s speaks the words of the wire', (_, snippet) => {
    const unknown = wireNames(JSON.parse(snippet.code)).filter(name => !WIRE_NAMES.has(name))
    expect(unknown).toEqual([])
  })

  it.each(titled(of('sh')))('%s names what exists', async (_, snippet) => {
    const scripts = [...snippet.code.matchAll(/\bnpm (?:run (?:--\S+ )*)?([a-z]+)/g)].map(match => match[1]!)
    const npmsOwn = ['ci', 'init', 'install', 'pack', 'run']
    expect(scripts.filter(name => !npmsOwn.includes(name) && !(name in manifest.scripts))).toEqual([])
    if (!snippet.code.includes('mcp-refcache wrap')) return
    help ??= runIn(place.folder, process.execPath, [bin(place), 'wrap', '--help'])
    const { stdout } = await help
    const own = snippet.code.replaceAll(/\\\n/g, ' ').replaceAll(/ -- .*/g, '')
    const options = [...own.matchAll(/\s(--[a-z][a-z-]*)/g)].map(match => match[1]!)
    expect(options.filter(option => !stdout.includes(option))).toEqual([])
  })
})

/** The names of a page's headings in links. Of those that are alike, the later ones have numbers. */
function headingsOf(text: string): string[] {
  const headings = text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm)
  const anchors = [...headings].map(([, heading = '']) => anchorOf(heading))
  return anchors.map((anchor, at) => {
    const earlier = anchors.slice(0, at).filter(other => other === anchor).length
    return earlier === 0 ? anchor : `${anchor}-${earlier}`
  })
}

/** The names that the one converting module writes, and those inside of `progress`. */
const WIRE_NAMES = new Set([
  ...[...WIRE_SOURCE.matchAll(/\b([a-z]+(?:_[a-z]+)*):/g)].map(match => match[1]!),
  ...[
    'status',
    'message',
    'error',
    'attempt',
    'at',
    'current',
    'total',
    'percentage',
    'code',
    'user',
    'agent',
  ],
])

/** All member names of a wire example but those inside of values, which are the tools' own. */
function wireNames(body: unknown): string[] {
  if (typeof body !== 'object' || body === null) return []
  if (Array.isArray(body)) return body.flatMap(wireNames)
  return Object.entries(body).flatMap(([name, member]) =>
    ['value', 'preview', 'expected_schema'].includes(name) ? [name] : [name, ...wireNames(member)],
  )
}
