import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { fileOf, sidebar } from '../../docs/.vitepress/sidebar.mts'
import { type Outcome, runIn } from './installed.ts'
import { pages } from './snippets.ts'
import { REPOSITORY } from './source-files.ts'

/** The site of docs/, built as `npm run docs` does it. */
let build: Outcome
beforeAll(async () => {
  build = await runIn(REPOSITORY, 'npm', ['run', 'docs'])
}, 300_000)

const SITE = join(REPOSITORY, 'docs/.vitepress/dist')
const read = (path: string) => readFileSync(join(SITE, path), 'utf8')
const inDocs = () =>
  pages()
    .filter(({ path }) => path.startsWith('docs/') && path !== 'docs/index.md')
    .map(({ path }) => path.slice('docs/'.length))

describe('the site', () => {
  it('is built; a link that leads nowhere would fail it', () => {
    expect(build.code, build.stdout + build.stderr).toBe(0)
  })

  it('leads to each page, once', () => {
    const listed = sidebar.flatMap(({ items }) => items.map(({ link }) => fileOf(link)))
    expect(listed.sort()).toEqual(inDocs().sort())
  })

  it('loads nothing from elsewhere', () => {
    const html = readdirSync(SITE, { recursive: true, encoding: 'utf8' }).filter(name =>
      name.endsWith('.html'),
    )
    expect(html.length).toBeGreaterThan(20)
    for (const page of html) {
      const loaded = [...read(page).matchAll(/<(?:script|link|img)\b[^>]*?\b(?:src|href)="(https?:[^"]*)"/g)]
      expect(loaded.map(([, address]) => address)).toEqual([])
    }
  })

  it('gives models each page as Markdown, and lists them', () => {
    const index = read('llms.txt')
    for (const page of inDocs()) {
      expect(index).toContain(`](/${page})`)
      expect(read(page)).toBe(readFileSync(join(REPOSITORY, 'docs', page), 'utf8'))
    }
    expect(read('llms-full.txt')).toContain('# Asking a value')
  })
})

describe('docs/reference', () => {
  it('is what the docstrings say (else: npm run docs:reference)', async () => {
    const { stderr } = await runIn(join(REPOSITORY, 'docs'), 'npm', [
      'run',
      '--silent',
      'reference',
      '--',
      '--check',
    ])
    expect(stderr).toBe('')
  })

  it.each([
    [
      'mcp',
      'asyncTimeout',
      "How long a tool's call waits before it answers with a handle",
      "_Default:_ '20s'",
    ],
    ['cache-options', 'defaultTtl', 'How long values are kept', "_Default:_ '1h'"],
    ['tools', 'maxRetries', 'How often failed work is tried again by itself', '_Default:_ 0'],
    ['stores', 'prefix', 'begin with', '_Default:_'],
  ])('%s tells of %s', (page, option, ...words) => {
    const text = readFileSync(join(REPOSITORY, `docs/reference/${page}.md`), 'utf8')
    const lines = text.split('\n').filter(line => line.startsWith(`- **\`${option}\`**`))
    expect(
      lines.some(line => words.every(word => line.includes(word))),
      lines.join('\n'),
    ).toBe(true)
  })

  it('has every export of every entry point', async () => {
    const { exports } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
      exports: object
    }
    const all = pages()
      .filter(({ path }) => path.startsWith('docs/reference/'))
      .map(({ text }) => text)
    for (const path of Object.keys(exports).filter(name => name !== './package.json')) {
      const specifier = path.replace('.', 'mcp-refcache')
      const names = Object.keys((await import(specifier)) as object)
      const missing = names.filter(
        name =>
          !all.some(
            text => text.includes(`\n## ${name}\n`) || text.includes(`\`${specifier}\` as \`${name}\``),
          ),
      )
      expect(missing, specifier).toEqual([])
    }
  })
})
