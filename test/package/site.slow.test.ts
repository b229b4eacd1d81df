import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fileOf, sidebar } from '../../docs/.vitepress/sidebar.mts'
import { browserIsInstalled, launchBrowser } from '../browser.ts'
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
    // What a page is about is a sentence, never code.
    expect(index).not.toContain('```')
    expect(read('llms-full.txt')).toContain('# Asking a value')
  })
})

describe.skipIf(!browserIsInstalled)('the site in a browser, on a phone', () => {
  let server: Server
  let browser: Browser
  beforeAll(async () => {
    server = createServer(({ url = '/' }, response) => {
      const path = [url, `${url}.html`, `${url}index.html`].find(
        path => extname(path) && existsSync(join(SITE, path)),
      )
      response.writeHead(path ? 200 : 404, { 'content-type': TYPES[extname(path ?? '')] ?? 'text/plain' })
      response.end(path && readFileSync(join(SITE, path)))
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    browser = await launchBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    server?.close()
  })

  const withDiagrams = pages().filter(({ text }) => text.includes('```mermaid'))
  it.each(withDiagrams.map(({ path }) => path))(
    '%s draws its diagrams, and is as wide as the screen',
    async path => {
      const { port } = server.address() as AddressInfo
      const page = await browser.newPage({ viewport: { width: 360, height: 780 } })
      const complaints: string[] = []
      page.on('console', message => message.type() === 'error' && complaints.push(message.text()))
      page.on('pageerror', error => complaints.push(error.message))
      await page.goto(`http://127.0.0.1:${port}/${path.slice('docs/'.length).replace(/(index)?\.md$/, '')}`)
      const sources = readFileSync(join(REPOSITORY, path), 'utf8').match(/^```mermaid$/gm) ?? []
      await expect.poll(() => page.locator('figure.diagram svg').count()).toBe(sources.length)
      const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth')
      expect({ overflow, complaints }).toEqual({ overflow: 0, complaints: [] })
      await page.close()
    },
  )
})

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
}

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
