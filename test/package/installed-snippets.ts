import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Consumer, compile, installPackage, type Outcome, runIn } from './installed.ts'
import { expectedOutput, kindOf, type Snippet } from './snippets.ts'
import { REPOSITORY } from './source-files.ts'

/** The package as it is packed and installed, and snippets in it, compiled: before all tests of a file, until after them. */
export interface Installed {
  readonly folder: string
  readonly compiled: Outcome
}

export const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
  bin: Record<string, string>
}

export function installed(snippets: readonly Snippet[], options: { noCheck?: boolean } = {}): Installed {
  const code = snippets.filter(({ language }) => language === 'ts' || language === 'js')
  let consumer: Consumer
  let compiled: Outcome
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
      { allowJs: true, checkJs: true, skipLibCheck: true, ...options },
    )
  })
  afterAll(() => consumer?.dispose())
  return {
    get folder() {
      return consumer.folder
    },
    get compiled() {
      return compiled
    },
  }
}

export const titled = (list: readonly Snippet[]) => list.map(snippet => [snippet.at, snippet] as const)

interface McpServers {
  readonly mcpServers: Readonly<Record<string, { command: string; args: string[] }>>
}

/** What of the snippets is a program, a server or a configuration does what it says. */
export function runSnippets(place: Installed, snippets: readonly Snippet[]): void {
  const of = (kind: string) => titled(snippets.filter(snippet => kindOf(snippet) === kind))

  it.each(of('ts run'))('%s prints what it says', async (_, snippet) => {
    const {
      code: exit,
      stdout,
      stderr,
    } = await runIn(place.folder, process.execPath, [compiledFile(place, snippet)])
    expect(stderr).toBe('')
    expect(stdout.split('\n').slice(0, -1)).toEqual(expectedOutput(snippet.code))
    expect(exit).toBe(0)
  })

  it.each(of('ts server'))('%s serves', async (_, snippet) => {
    expect(await toolsOf(place, process.execPath, [compiledFile(place, snippet)])).toContain(
      'get_cached_result',
    )
  })

  it.each(of('ts wrapped'))('%s serves behind wrap', async (_, snippet) => {
    const server = [process.execPath, compiledFile(place, snippet)]
    const tools = await toolsOf(place, process.execPath, [
      bin(place),
      'wrap',
      '--store',
      'memory',
      '--',
      ...server,
    ])
    expect(tools).toContain('get_cached_result')
  })

  it.each(of('json servers'))('%s serves behind one wrap', async (_, snippet) => {
    const path = join(place.folder, 'servers.json')
    const { mcpServers } = JSON.parse(snippet.code) as McpServers
    const servers = Object.entries(mcpServers).map(([name, { command, args }]) => {
      const [first, ...rest] = withoutNetwork(place, [command, ...args])
      return [name, { command: first!, args: rest }] as const
    })
    writeFileSync(path, JSON.stringify({ mcpServers: Object.fromEntries(servers) }))
    const tools = await toolsOf(place, process.execPath, [
      bin(place),
      'wrap',
      '--store',
      'memory',
      '--servers',
      path,
    ])
    expect(tools).toContain('get_cached_result')
    for (const [name] of servers) expect(tools.filter(tool => tool.startsWith(`${name}_`))).not.toEqual([])
  })

  it.each(of('json config'))('%s starts servers', async (_, snippet) => {
    const { mcpServers } = JSON.parse(snippet.code) as McpServers
    for (const { command, args } of Object.values(mcpServers)) {
      const [first, ...rest] = withoutNetwork(place, [command, ...args.map(word => fromPackage(place, word))])
      expect(await toolsOf(place, first!, rest)).toContain('get_cached_result')
    }
  })

  it.each(of('json settings'))('%s is a config file of wrap', async (_, snippet) => {
    const path = join(place.folder, 'settings.json')
    writeFileSync(path, snippet.code)
    const server = withoutNetwork(place, ['npx', '-y', '@modelcontextprotocol/server-everything'])
    const tools = await toolsOf(place, process.execPath, [
      bin(place),
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
}

/** The program in a clone, as the one of the packed package. */
const fromPackage = (place: Installed, word: string) =>
  word === '/path/to/mcp-refcache/dist/cli/main.js' ? bin(place) : word

export const bin = (place: Installed) =>
  join(place.folder, 'node_modules/mcp-refcache', manifest.bin['mcp-refcache']!)

/** `npx -y name` and our command as the programs that they would run, from what is installed; `/data` is a folder that exists. */
function withoutNetwork(place: Installed, words: string[]): string[] {
  return words
    .join('\n')
    .replaceAll(/\bnpx\n-y\n(\S+)/g, (_, name: string) => `${process.execPath}\n${programOf(place, name)}`)
    .split('\n')
    .map(word => (word === '/data' ? place.folder : word))
    .flatMap((word, at) => (at === 0 && word === 'mcp-refcache' ? [process.execPath, bin(place)] : [word]))
}

function programOf(place: Installed, name: string): string {
  if (name === 'mcp-refcache') return bin(place)
  const folder = join(REPOSITORY, 'node_modules', name)
  const { bin: programs } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    bin: Record<string, string>
  }
  return join(folder, Object.values(programs)[0]!)
}

async function toolsOf(place: Installed, command: string, args: string[]): Promise<string[]> {
  const client = new Client({ name: 'reader', version: '1.0.0' })
  const env = { ...(process.env as Record<string, string>), XDG_CACHE_HOME: join(place.folder, 'cache') }
  await client.connect(new StdioClientTransport({ command, args, env, cwd: place.folder, stderr: 'ignore' }))
  try {
    return (await client.listTools()).tools.map(({ name }) => name)
  } finally {
    await client.close()
  }
}

function fileOf({ at }: Snippet, extension: string): string {
  return `snippets/${at.replaceAll(/[^a-z0-9]+/gi, '-')}.${extension}`
}

function compiledFile(place: Installed, snippet: Snippet): string {
  return join(place.folder, 'out', fileOf(snippet, 'js'))
}
