import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Consumer, compile, installPackage, type Outcome, runIn } from './installed.ts'
import { expectedOutput, pages, type Snippet, snippets } from './snippets.ts'
import { REPOSITORY } from './source-files.ts'

/**
 * The snippets of README.md and docs/ do what they say, against the packed package. The word after a fence's language says what is
 * done with it:
 *
 * - ts, js        each is a module of its own and is type-checked
 * - ts run        is run, too; its output is what its `//=>` comments say, line by line
 * - ts server     is started as an MCP server over stdio, and must offer get_cached_result
 * - json          is JSON
 * - json wire     uses only field names of the wire
 * - json config   is a client's configuration; each of its servers is started, and must offer get_cached_result
 * - json settings is a config file for `wrap`, which must start with it
 * - sh            names only scripts and options that exist
 *
 * Other languages are not looked at. Run `npm run build` first; `npm test` does.
 */
const KNOWN = [
  'ts',
  'ts run',
  'ts server',
  'js',
  'json',
  'json wire',
  'json config',
  'json settings',
  'sh',
  '',
]

const all = snippets()
const of = (...kinds: string[]) => all.filter(snippet => kinds.includes(kindOf(snippet)))
const code = all.filter(({ language }) => language === 'ts' || language === 'js')

const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
  bin: Record<string, string>
}

const WIRE_SOURCE = ['wire.ts', 'wire-admin.ts']
  .map(name => readFileSync(join(REPOSITORY, 'src/agent', name), 'utf8'))
  .join('\n')

let consumer: Consumer
let compiled: Outcome
let help: Promise<Outcome> | undefined
beforeAll(async () => {
  consumer = await installPackage()
  for (const snippet of code) {
    const path = join(consumer.folder, fileOf(snippet, snippet.language))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, `${snippet.code}\nexport {}\n`)
  }
  compiled = await compile(
    consumer,
    code.map(snippet => fileOf(snippet, snippet.language)),
    { allowJs: true, checkJs: true, skipLibCheck: true },
  )
})
afterAll(() => consumer?.dispose())

const titled = (list: Snippet[]) => list.map(snippet => [snippet.at, snippet] as const)

describe('README.md', () => {
  const readme = pages()[0]!.text

  it('begins with the two commands', () => {
    const [first] = all.filter(({ at, language }) => at.startsWith('README.md') && language === 'sh')
    expect(first?.code).toBe('npm ci && npm run demo\nnpm ci && npm test\n')
  })

  it('is short enough to be read', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(200)
  })
})

describe('docs/wire-format.md', () => {
  const { text } = pages().find(({ path }) => path === 'docs/wire-format.md')!

  it('explains every field and every code of the wire', () => {
    const fields = [...WIRE_SOURCE.matchAll(/^ +([a-z]+(?:_[a-z]+)+):/gm)].map(match => match[1]!)
    const codes = [...WIRE_SOURCE.matchAll(/^ +\| '([a-z_]+)'$/gm)].map(match => match[1]!)
    expect(fields.length).toBeGreaterThan(10)
    expect(codes.length).toBeGreaterThan(5)
    expect([...fields, ...codes].filter(name => !text.includes(`\`${name}\``))).toEqual([])
  })
})

describe('links', () => {
  it.each(pages().map(({ path, text }) => [path, text] as const))('of %s lead somewhere', (path, text) => {
    const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(match => match[1]!)
    const broken = targets.filter(target => !existsSync(join(REPOSITORY, dirname(path), target)))
    expect(broken).toEqual([])
  })
})

describe('snippets', () => {
  it('are marked in a way that is known', () => {
    const unknown = all.filter(snippet => ['ts', 'js', 'json', 'sh'].includes(snippet.language))
    expect(unknown.filter(snippet => !KNOWN.includes(kindOf(snippet))).map(({ at }) => at)).toEqual([])
  })

  it('of code compile in a strict project', () => {
    expect(compiled.stdout).toBe('')
    expect(compiled.code).toBe(0)
  })

  it.each(titled(of('ts run')))('%s prints what it says', async (_, snippet) => {
    const {
      code: exit,
      stdout,
      stderr,
    } = await runIn(consumer.folder, process.execPath, [compiledFile(snippet)])
    expect(stderr).toBe('')
    expect(stdout.split('\n').slice(0, -1)).toEqual(expectedOutput(snippet.code))
    expect(exit).toBe(0)
  })

  it.each(titled(of('ts server')))('%s serves', async (_, snippet) => {
    expect(await toolsOf(process.execPath, [compiledFile(snippet)])).toContain('get_cached_result')
  })

  it.each(titled(of('json config')))('%s starts servers', async (_, snippet) => {
    const { mcpServers } = JSON.parse(snippet.code) as {
      mcpServers: Record<string, { command: string; args: string[] }>
    }
    for (const { command, args } of Object.values(mcpServers)) {
      const [first, ...rest] = withoutNetwork([command, ...args.map(fromPackage)])
      expect(await toolsOf(first!, rest)).toContain('get_cached_result')
    }
  })

  it.each(titled(of('json settings')))('%s is a config file of wrap', async (_, snippet) => {
    const path = join(consumer.folder, 'settings.json')
    writeFileSync(path, snippet.code)
    const server = withoutNetwork(['npx', '-y', '@modelcontextprotocol/server-everything'])
    const tools = await toolsOf(process.execPath, [
      bin(),
      'wrap',
      '--config',
      path,
      '--store',
      'memory',
      '--',
      ...server,
    ])
    expect(tools).toContain('get_cached_result')
  })

  it.each(titled(of('json', 'json wire', 'json config', 'json settings')))('%s is JSON', (_, snippet) => {
    JSON.parse(snippet.code)
  })

  it.each(titled(of('json wire')))('%s speaks the words of the wire', (_, snippet) => {
    const unknown = wireNames(JSON.parse(snippet.code)).filter(name => !WIRE_NAMES.has(name))
    expect(unknown).toEqual([])
  })

  it.each(titled(of('sh')))('%s names what exists', async (_, snippet) => {
    const scripts = [...snippet.code.matchAll(/\bnpm (?:run (?:--\S+ )*)?([a-z]+)/g)].map(match => match[1]!)
    const npmsOwn = ['ci', 'install', 'run']
    expect(scripts.filter(name => !npmsOwn.includes(name) && !(name in manifest.scripts))).toEqual([])
    if (!snippet.code.includes('mcp-refcache wrap')) return
    help ??= runIn(consumer.folder, process.execPath, [bin(), 'wrap', '--help'])
    const { stdout } = await help
    const own = snippet.code.replaceAll(/\\\n/g, ' ').replaceAll(/ -- .*/g, '')
    const options = [...own.matchAll(/\s(--[a-z][a-z-]*)/g)].map(match => match[1]!)
    expect(options.filter(option => !stdout.includes(option))).toEqual([])
  })
})

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

/** The program in a clone, as the one of the packed package. */
const fromPackage = (word: string) => (word === '/path/to/mcp-refcache/dist/cli/main.js' ? bin() : word)

const bin = () => join(consumer.folder, 'node_modules/mcp-refcache', manifest.bin['mcp-refcache']!)

/** `npx -y name` as the program that it would run, from what is installed; `/data` is a folder that exists. */
function withoutNetwork(words: string[]): string[] {
  return words
    .join('\n')
    .replaceAll(/\bnpx\n-y\n(\S+)/g, (_, name: string) => `${process.execPath}\n${programOf(name)}`)
    .split('\n')
    .map(word => (word === '/data' ? consumer.folder : word))
}

function programOf(name: string): string {
  if (name === 'mcp-refcache') return bin()
  const folder = join(REPOSITORY, 'node_modules', name)
  const { bin: programs } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    bin: Record<string, string>
  }
  return join(folder, Object.values(programs)[0]!)
}

async function toolsOf(command: string, args: string[]): Promise<string[]> {
  const client = new Client({ name: 'reader', version: '1.0.0' })
  const env = { ...(process.env as Record<string, string>), XDG_CACHE_HOME: join(consumer.folder, 'cache') }
  await client.connect(
    new StdioClientTransport({ command, args, env, cwd: consumer.folder, stderr: 'ignore' }),
  )
  try {
    return (await client.listTools()).tools.map(({ name }) => name)
  } finally {
    await client.close()
  }
}

function kindOf({ language, mark }: Snippet): string {
  return mark === undefined ? language : `${language} ${mark}`
}

function fileOf({ at }: Snippet, extension: string): string {
  return `snippets/${at.replaceAll(/[^a-z0-9]+/gi, '-')}.${extension}`
}

function compiledFile(snippet: Snippet): string {
  return join(consumer.folder, 'out', fileOf(snippet, 'js'))
}
