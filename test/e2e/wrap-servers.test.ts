import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, type ClientOptions, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type Entry,
  entryOf,
  everythingOverHttp,
  fiveServers,
  writeServers,
} from './fixtures/five-servers.ts'
import { program } from './fixtures/programs.ts'
import { MAIN, PLAIN, until, Workshop } from './fixtures/wrap-harness.ts'

let workshop: Workshop
beforeEach(() => {
  workshop = new Workshop()
})
afterEach(() => workshop.close())

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

const textOf = (answer: Answer): string => answer.content[0].text

const call = (client: Client, name: string, args: Answer = {}): Promise<Answer> =>
  client.callTool({ name, arguments: args })

const toolsOf = async (client: Client) => (await client.listTools()).tools.map(({ name }) => name)

/** A client in front of these servers, wrapped within this process. */
function frontOf(
  servers: Record<string, Entry>,
  wrap: string[] = [],
  client?: ClientOptions,
): Promise<{ client: Client; stderr: () => string }> {
  const file = writeServers(workshop.folder, servers)
  return workshop.client([], { wrap: ['--servers', file, ...wrap], ...(client ? { client } : {}) })
}

describe('five servers that nobody here wrote, one of them over HTTP, and one that cannot start', () => {
  it('are one server: tools, prompts, resources, completion, questions, and references from one to another', async () => {
    const servers = {
      ...fiveServers(workshop.folder),
      everything: (await everythingOverHttp(workshop)).entry,
      broken: entryOf(['mcp-refcache-no-such-command']),
    }
    const { client, stderr } = await frontOf(servers, [], {
      capabilities: { elicitation: {}, sampling: {}, roots: {} },
    })
    client.setRequestHandler('elicitation/create', () => ({ action: 'decline' }))
    client.setRequestHandler('roots/list', () => ({ roots: [] }))
    client.setRequestHandler('sampling/createMessage', () => ({
      model: 'test',
      role: 'assistant',
      content: { type: 'text', text: 'sampled here' },
    }))
    const names = await until(async () => {
      const tools = await toolsOf(client)
      return tools.some(name => name.startsWith('everything_')) ? tools : undefined
    }, 'the server over HTTP')
    for (const begin of [
      'everything_',
      'filesystem_',
      'memory_',
      'sequential-thinking_',
      'playwright_browser_',
    ])
      expect(names.filter(name => name.startsWith(begin)).length).toBeGreaterThan(0)
    expect(names.filter(name => name === 'get_cached_result')).toHaveLength(1)
    for (const name of names) expect(`mcp__refcache__${name}`).toMatch(/^[A-Za-z0-9_-]{1,64}$/)

    const entities = Array.from({ length: 400 }, (_, n) => ({
      name: `e${n}`,
      entityType: 'thing',
      observations: [`seen ${n} times, and then once more`],
    }))
    await call(client, 'memory_create_entities', { entities })
    const graph = JSON.parse(textOf(await call(client, 'memory_read_graph')))
    expect(graph.is_complete).toBe(false)
    const path = join(workshop.folder, 'data', 'graph.json')
    await call(client, 'filesystem_write_file', { path, content: graph.ref_id })
    expect(JSON.parse(readFileSync(path, 'utf8')).entities).toHaveLength(400)

    expect(textOf(await call(client, 'everything_echo', { message: 'hi' }))).toBe('Echo: hi')
    expect(
      JSON.stringify(
        await call(client, 'everything_trigger-sampling-request', { prompt: 'why', maxTokens: 5 }),
      ),
    ).toContain('sampled here')
    const broken = await call(client, 'broken_anything')
    expect(broken.isError).toBe(true)
    expect(textOf(broken)).toContain("The server 'broken' is away: Cannot start")
    expect(stderr()).not.toContain('X-Test')

    const { prompts } = await client.listPrompts()
    expect(prompts.map(({ name }) => name)).toContain('everything_args-prompt')
    const prompt = await client.getPrompt({ name: 'everything_args-prompt', arguments: { city: 'Oslo' } })
    expect(JSON.stringify(prompt)).toContain('Oslo')
    const ref = { type: 'ref/prompt', name: 'everything_completable-prompt' } as const
    const completion = await client.complete({ ref, argument: { name: 'department', value: 'E' } })
    expect(completion.completion.values).toContain('Engineering')
    const { resources } = await client.listResources()
    const { uri = '' } = resources.find(one => one.uri.startsWith('demo:')) ?? {}
    expect((await client.readResource({ uri })).contents[0]).toMatchObject({ uri })
  })
})

describe('a server that dies', () => {
  it('by SIGKILL in the middle of a call leaves the others usable, and is started again', async () => {
    const journal = (name: string) => join(workshop.folder, `${name}.jsonl`)
    const plain = (name: string) => entryOf(PLAIN, { env: { JOURNAL: journal(name) } })
    const pidOf = (name: string) =>
      readFileSync(journal(name), 'utf8')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
        .findLast(({ event }) => event === 'start').pid as number
    const { client } = await frontOf({ one: plain('one'), other: plain('other') }, [
      '--async-timeout',
      '100ms',
    ])
    await toolsOf(client)
    const handle = (await call(client, 'one_slow', { ms: 60_000 })).structuredContent
    const first = pidOf('one')
    process.kill(first, 'SIGKILL')
    const failed = await call(client, 'get_cached_result', { ref_id: handle.ref_id })
    expect(failed.structuredContent).toMatchObject({
      status: 'failed',
      error_code: 'worker_lost',
      can_retry: true,
    })
    expect(failed.structuredContent.error).toContain("The server 'one' went away")
    expect(textOf(await call(client, 'other_count'))).toBe('call 1')
    await until(
      async () => textOf(await call(client, 'one_count')).startsWith('call'),
      'the server to be back',
    )
    expect(pidOf('one')).not.toBe(first)
  })
})

describe('wrap --servers --lazy', () => {
  it('lists tools from a private file, and starts a server at its first call', async () => {
    const servers = { plain: entryOf(PLAIN), other: entryOf(PLAIN) }
    const first = await frontOf(servers)
    const names = await toolsOf(first.client)
    await first.client.close()
    const kept = `${workshop.store}.servers.json`
    await until(() => statSync(kept, { throwIfNoEntry: false }) !== undefined, 'the lists to be kept')
    expect(statSync(kept).mode & 0o777).toBe(0o600)
    const starts = workshop.journal('start').length

    const { client } = await frontOf(servers, ['--lazy'])
    expect(await toolsOf(client)).toEqual(names)
    expect(workshop.journal('start')).toHaveLength(starts)
    expect(textOf(await call(client, 'other_count'))).toBe('call 1')
    expect(workshop.journal('start')).toHaveLength(starts + 1)
  })
})

describe('clients of 2026-07-28', () => {
  const modern = { versionNegotiation: { mode: 'auto' } } as const

  it('have servers of both revisions behind one front door, with progress and list changes', async () => {
    const servers = {
      old: entryOf(PLAIN),
      new: entryOf([process.execPath, program('wrap-v2-server')]),
    }
    const { client } = await frontOf(servers, [], modern)
    const names = await toolsOf(client)
    expect(names.filter(name => name.startsWith('new_')).length).toBeGreaterThan(0)
    expect(textOf(await call(client, 'old_count'))).toBe('call 1')
  })
})

describe('over HTTP', () => {
  it('each session has servers of its own, at either revision', async () => {
    const file = writeServers(workshop.folder, { plain: entryOf(PLAIN), other: entryOf(PLAIN) })
    const raw = workshop.process(['wrap', '--http', '0', '--store', workshop.store, '--servers', file])
    const url = new URL(/on (http:\S+)/.exec(await raw.ready())?.[1] ?? '')
    const connect = async (options?: ClientOptions) => {
      const client = new Client({ name: 'http', version: '1' }, options)
      workshop.onEnd(() => client.close())
      await client.connect(new StreamableHTTPClientTransport(url))
      return client
    }
    const [one, other] = await Promise.all([connect(), connect()])
    expect(textOf(await call(one as Client, 'plain_count'))).toBe('call 1')
    expect(textOf(await call(one as Client, 'plain_count'))).toBe('call 2')
    expect(textOf(await call(other as Client, 'plain_count'))).toBe('call 1')
    const modern = await connect({ versionNegotiation: { mode: 'auto' } })
    expect(await toolsOf(modern)).toContain('other_count')
    expect(textOf(await call(modern, 'other_count'))).toBe('call 1')
  })
})

describe('the file and its settings', () => {
  async function failed(...args: string[]): Promise<string> {
    const raw = workshop.process(['wrap', '--store', 'memory', ...args])
    raw.child.stdin?.end()
    expect((await raw.exit).code).toBe(2)
    return raw.stderr
  }

  it('never start this command again for the same file, however that is hidden', async () => {
    const file = join(workshop.folder, 'servers.json')
    const itself = ['wrap', '--store', 'memory', '--servers', file]
    const hidden = `exec ${[process.execPath, MAIN, ...itself].map(word => `'${word}'`).join(' ')}`
    writeServers(workshop.folder, {
      plain: entryOf(PLAIN),
      open: entryOf(['npx', '-y', 'mcp-refcache', ...itself]),
      hidden: entryOf(['sh', '-c', hidden]),
    })
    const { client, stderr } = await workshop.connect([process.execPath, MAIN, ...itself])
    expect((await toolsOf(client)).filter(name => name.endsWith('_count'))).toEqual(['plain_count'])
    expect(stderr()).toContain("'open' is not wrapped")
    expect(textOf(await call(client, 'hidden_count'))).toContain("The server 'hidden' is away")
  })

  it('give the servers other names, and choose their tools', async () => {
    const config = join(workshop.folder, 'config.json')
    const settings = {
      servers: {
        plain: { alias: 'p', include: ['count', 'slow'], exclude: ['slow'], rename: { count: 'next' } },
      },
      naming: { separator: '-' },
    }
    writeFileSync(config, JSON.stringify(settings))
    const { client } = await frontOf({ plain: entryOf(PLAIN) }, ['--config', config])
    expect((await toolsOf(client)).filter(name => name.startsWith('p'))).toEqual(['p-next'])
    expect(textOf(await call(client, 'p-next'))).toBe('call 1')
  })

  it('are refused with a reason where they are wrong', async () => {
    const file = writeServers(workshop.folder, { plain: entryOf(PLAIN) })
    expect(await failed('--servers', join(workshop.folder, 'none.json'))).toContain('ENOENT')
    expect(await failed('--servers', file, '--', ...PLAIN)).toContain('not both')
    expect(await failed('--lazy', '--', ...PLAIN)).toContain('--lazy goes with --servers')
    const config = join(workshop.folder, 'config.json')
    writeFileSync(config, JSON.stringify({ servers: { plane: { alias: 'x' } } }))
    expect(await failed('--servers', file, '--config', config)).toContain("Did you mean 'plain'?")
    writeFileSync(config, JSON.stringify({ servers: { plain: { aliass: 'x' } } }))
    expect(await failed('--servers', file, '--config', config)).toContain("did you mean 'alias'?")
  })
})
