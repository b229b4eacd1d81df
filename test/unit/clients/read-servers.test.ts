// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of clients are what is tested
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readServersFile } from '../../../src/clients/read-servers.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'clients-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function read(name: string, text: string | object, env: Record<string, string> = {}) {
  const path = join(folder, name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, typeof text === 'string' ? text : JSON.stringify(text))
  return readServersFile(path, env, folder)
}

const transportsOf = (...given: Parameters<typeof read>) =>
  Object.fromEntries(read(...given).servers.map(({ name, transport }) => [name, transport]))

const problemOf = (entry: object, env = {}) => {
  const transport = transportsOf('mcp.json', { mcpServers: { one: entry } }, env).one
  return transport?.kind === 'unusable' ? transport.problem : undefined
}

describe('the formats of the clients', () => {
  it('reads Claude Desktop: comments, a trailing comma and a byte order mark do no harm', () => {
    const text = `\uFEFF{
      // mine
      "globalShortcut": "x",
      "mcpServers": { "files": { "command": "npx", "args": ["-y", "fs", "/data"], "env": { "A": "1" }, }, },
    }`
    expect(transportsOf('claude_desktop_config.json', text)).toEqual({
      files: { kind: 'stdio', command: 'npx', args: ['-y', 'fs', '/data'], env: { A: '1' } },
    })
  })

  it('reads Claude Code: defaults of variables, headers, and the servers of this project over those of the user', () => {
    const stdio = (command: string) => ({ type: 'stdio', command, args: [] })
    const file = {
      mcpServers: {
        api: {
          type: 'http',
          url: '${BASE:-https://example.com}/mcp',
          headers: { Authorization: 'Bearer ${TOKEN}' },
        },
        both: stdio('of-user'),
      },
      projects: {
        [folder]: { mcpServers: { both: stdio('of-project') } },
        '/other': { mcpServers: { no: stdio('no') } },
      },
    }
    expect(transportsOf('.claude.json', file, { TOKEN: 't' })).toEqual({
      api: { kind: 'http', url: 'https://example.com/mcp', headers: { Authorization: 'Bearer t' } },
      both: { kind: 'stdio', command: 'of-project', args: [], env: {} },
    })
  })

  it('reads VS Code: its folder, its variables, its envFile, and says which input it cannot ask for', () => {
    writeFileSync(join(folder, '.env'), 'FROM_FILE=1\nBOTH=file\n')
    const file = {
      inputs: [{ id: 'key', type: 'promptString', description: 'API key', password: true }],
      servers: {
        local: {
          type: 'stdio',
          command: '${userHome}/bin/server',
          args: ['${workspaceFolder}', '${env:WHAT}'],
          env: { BOTH: 'entry' },
          envFile: '${workspaceFolder}/.env',
          cwd: 'sub',
        },
        asks: { command: 'x', env: { KEY: '${input:key}' } },
      },
    }
    const { local, asks } = transportsOf('.vscode/mcp.json', file, { WHAT: 'w' })
    expect(local).toMatchObject({
      args: [folder, 'w'],
      env: { FROM_FILE: '1', BOTH: 'entry' },
      cwd: join(folder, 'sub'),
    })
    expect(asks).toMatchObject({
      kind: 'unusable',
      problem: expect.stringContaining('${input:key} (API key)'),
    })
  })

  it('reads Cursor, Windsurf and Gemini CLI', () => {
    const servers = transportsOf(
      '.cursor/mcp.json',
      {
        mcpServers: {
          cursor: { command: 'a', args: ['${env:A}', '${workspaceFolderBasename}'] },
          windsurf: { serverUrl: 'https://w.example/mcp' },
          gemini: { httpUrl: 'https://g.example/mcp', headers: { X: 'y' } },
        },
      },
      { A: 'b' },
    )
    expect(servers.cursor).toMatchObject({ args: ['b', folder.split('/').at(-1)] })
    expect(servers.windsurf).toMatchObject({ kind: 'http', url: 'https://w.example/mcp' })
    expect(servers.gemini).toMatchObject({ kind: 'http', headers: { X: 'y' } })
  })

  it('reads Codex, which puts nothing in the place of a placeholder', () => {
    const text = `
model = "o"
[mcp_servers.local] # mine
command = "npx"
args = ["-y", "\${literal}"]
env = { "A" = "1" }
enabled_tools = ["read"]
[mcp_servers.remote]
url = "https://c.example/mcp"
bearer_token_env_var = "TOKEN"
http_headers = { "X-A" = "1" }
env_http_headers = { "X-B" = "B" }
[mcp_servers.off]
command = "x"
enabled = false
`
    const { servers, leftOut } = read('config.toml', text, { TOKEN: 't', B: 'b' })
    expect(servers.map(({ transport }) => transport)).toEqual([
      { kind: 'stdio', command: 'npx', args: ['-y', '${literal}'], env: { A: '1' } },
      {
        kind: 'http',
        url: 'https://c.example/mcp',
        headers: { 'X-A': '1', 'X-B': 'b', Authorization: 'Bearer t' },
      },
    ])
    expect(servers[0]?.onlyTools).toEqual(['read'])
    expect(leftOut).toEqual([{ name: 'off', reason: 'it is disabled in the file' }])
  })

  it('reads Zed, old and new, and OpenCode', () => {
    expect(
      transportsOf('settings.json', {
        theme: 'x',
        context_servers: {
          now: { source: 'custom', command: 'a', args: ['b'], env: { C: 'd' } },
          old: { command: { path: 'a', args: ['b'], env: { C: 'd' } } },
          extension: { settings: {} },
        },
      }),
    ).toMatchObject({
      now: { command: 'a', args: ['b'], env: { C: 'd' } },
      old: { command: 'a', args: ['b'], env: { C: 'd' } },
      extension: { kind: 'unusable' },
    })
    expect(
      transportsOf(
        'opencode.json',
        {
          mcp: { local: { type: 'local', command: ['bun', 'x', 'srv'], environment: { K: '{env:K}' } } },
        },
        { K: 'v' },
      ),
    ).toMatchObject({ local: { command: 'bun', args: ['x', 'srv'], env: { K: 'v' } } })
  })

  it('reads a table of servers without a name, and one that is empty', () => {
    expect(transportsOf('mcp.json', { one: { command: 'x' } })).toMatchObject({ one: { command: 'x' } })
    expect(transportsOf('mcp.json', { mcpServers: {} })).toEqual({})
  })
})

describe('an odd entry', () => {
  it.each<[string, string, string[]]>([
    ['empty', '{"mcpServers":{"a":{"command":"npx"},"todo":{}}}', ['a', 'todo']],
    ['empty, under a key of others', '{"servers":{"a":{"command":"npx"},"todo":{}}}', ['a', 'todo']],
    ['empty, in a file of servers alone', '{"a":{"command":"npx"},"todo":{}}', ['a', 'todo']],
    ['no object', '{"mcpServers":{"a":{"command":"npx"},"b":null,"c":"npx c","d":[]}}', ['a', 'b', 'c', 'd']],
    ['a remark', '{"mcpServers":{"_comment":"hi","//":"x","a":{"command":"npx"}}}', ['a']],
    ['a remark in a file of servers alone', '{"$schema":"s","a":{"command":"npx"}}', ['a']],
    ['with a switch alone', '{"context_servers":{"x":{"enabled":true}}}', ['x']],
    ['of a name with a meaning', '{"mcpServers":{"__proto__":{"command":"npx"}}}', ['__proto__']],
  ])('%s hides no other', (_, text, names) => {
    const { servers } = read('settings.json', text)
    expect(servers.map(({ name }) => name)).toEqual(names)
    for (const { name, transport } of servers)
      expect(transport.kind).toBe(name === 'a' || name === '__proto__' ? 'stdio' : 'unusable')
  })

  it('makes no servers of the settings of a program', () => {
    const text = '{"theme":"dark","terminal":{"command":"zsh"},"servers":{"retries":3}}'
    expect(() => read('settings.json', text)).toThrow(/names no servers/)
  })
})

describe('what cannot be used', () => {
  it('says where a file is wrong, and nothing of what is in it', () => {
    const broken = '{\n "mcpServers": {\n  "a": { "env": { "TOKEN": "s3cret" "x": 1 } } } }'
    expect(() => read('mcp.json', broken)).toThrow(/line 3/)
    expect(() => read('mcp.json', broken)).not.toThrow(/s3cret/)
    expect(() => read('config.toml', 'a = "s3cret\n')).toThrow(/not valid TOML/)
    expect(() => read('config.toml', 'a = "s3cret\n')).not.toThrow(/s3cret/)
    expect(() => read('mcp.json', '{"theme":"x"}')).toThrow(/names no servers/)
    expect(() => readServersFile(join(folder, 'none.json'))).toThrow(/ENOENT/)
  })

  it('says what each server lacks', () => {
    expect(problemOf({ command: 'x', env: { A: '${NOT_SET}' } })).toContain('NOT_SET')
    expect(problemOf({ type: 'sse', url: 'https://x.example/sse' })).toContain('mcp-remote')
    expect(problemOf({ url: 'ftp://x.example' })).toContain('http')
    expect(problemOf({ type: 'stdio' })).toContain('neither a command nor a url')
    expect(problemOf({ command: 'x', args: ['${command:pick}'] })).toContain('${command:pick}')
    expect(problemOf({ command: 'x', envFile: 'gone.env' })).toContain('gone.env')
  })
})

describe('our own wrapper in a file', () => {
  const entry = (args: string[], command = 'npx') => ({
    mcpServers: { one: { command, args, env: { A: '1' } } },
  })

  it('is left out where it has servers of a file: it would start itself for ever', () => {
    for (const args of [
      ['-y', 'mcp-refcache', 'wrap', '--servers', 'mcp.json'],
      ['-y', 'mcp-refcache@latest', 'wrap', '--lazy', '--servers=mcp.json'],
    ]) {
      expect(read('mcp.json', entry(args)).leftOut).toMatchObject([{ name: 'one' }])
    }
    const main = entry(['/opt/it/dist/cli/main.js', 'wrap', '--servers', 'x'], 'node')
    expect(read('mcp.json', main).servers).toEqual([])
  })

  it('gives way to the server that it wraps', () => {
    const args = [
      '-y',
      'mcp-refcache',
      'wrap',
      '--store',
      'memory',
      '--',
      'npx',
      '-y',
      'server',
      '--',
      'more',
    ]
    expect(transportsOf('mcp.json', entry(args)).one).toEqual({
      kind: 'stdio',
      command: 'npx',
      args: ['-y', 'server', '--', 'more'],
      env: { A: '1' },
    })
    const url = ['wrap', '--url', 'https://x.example/mcp', '--header', 'Authorization: Bearer ${T}']
    expect(transportsOf('mcp.json', entry(url, '/usr/bin/mcp-refcache'), { T: 't' }).one).toEqual({
      kind: 'http',
      url: 'https://x.example/mcp',
      headers: { Authorization: 'Bearer t' },
    })
  })

  it('is not seen in what only looks like it', () => {
    const args = ['mcp-refcache-demo', 'wrap', '--servers', 'x']
    expect(read('mcp.json', entry(args)).servers).toHaveLength(1)
  })
})

describe('what would be said in an error', () => {
  it.each([
    { url: 'http://u:PWSECRET@127.0.0.1:1/' },
    { url: 'http://${USER}@127.0.0.1:1/' },
    { url: 'http://127.0.0.1:1/x', headers: { X: 'HDR\nPWSECRET' } },
    { url: 'http://127.0.0.1:1/x', headers: { X: 'PWSECRET\u2028é' } },
    { command: 'x', env: { A: 'PWSECRET\0' } },
    { command: 'x', args: ['PWSECRET\0'] },
  ])('makes the server unusable, and is not repeated: %j', entry => {
    const problem = problemOf(entry, { USER: 'PWSECRET' })
    expect(problem).toBeTruthy()
    expect(problem).not.toContain('PWSECRET')
  })

  it('a line break at the end of a header, as files of secrets have it, does no harm', () => {
    expect(problemOf({ url: 'http://127.0.0.1:1/x', headers: { X: 'token\n' } })).toBeUndefined()
  })
})
