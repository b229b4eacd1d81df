import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

const SERVER = `
import { createInterface } from 'node:readline'
createInterface({ input: process.stdin }).on('line', line => {
  const { id, params } = JSON.parse(line)
  const serverInfo = { name: process.env.NAMED, version: '1' }
  const tools = [{ name: 'echo', inputSchema: { type: 'object' } }]
  const result = { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo, tools }
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: '2.0', id, result }))
})`

let home: string
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'refcache-init-')))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const env = () => ({ PATH: process.env.PATH, HOME: home, XDG_CONFIG_HOME: join(home, '.config') })

async function init(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const ran = promisify(execFile)(process.execPath, [MAIN, 'init', ...args], { cwd: home, env: env() })
  ran.child.stdin?.end()
  return ran.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  )
}

/** What a client lists that starts the entry. */
async function toolsOf({ command, args }: { command: string; args: string[] }): Promise<string[]> {
  const started = spawn(command, args, { cwd: home, env: { ...env(), XDG_CACHE_HOME: join(home, 'cache') } })
  const answers = createInterface({ input: started.stdout })[Symbol.asyncIterator]()
  const send = (message: object) => started.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
  send({ id: 1, method: 'initialize', params })
  await answers.next()
  send({ method: 'notifications/initialized' })
  send({ id: 2, method: 'tools/list' })
  for (;;) {
    const { value } = await answers.next()
    const { id, result } = JSON.parse(value as string)
    if (id !== 2) continue
    started.stdin.end()
    await once(started, 'exit')
    return result.tools.map(({ name }: { name: string }) => name)
  }
}

function putCursor(): { path: string; text: string } {
  writeFileSync(join(home, 'server.mjs'), SERVER)
  const server = { command: process.execPath, args: ['server.mjs'], env: { NAMED: 's3cr3t-name' } }
  const text = `${JSON.stringify({ mcpServers: { mine: server } }, undefined, '\t')}\n`
  const path = join(home, '.cursor', 'mcp.json')
  mkdirSync(join(home, '.cursor'), { recursive: true })
  writeFileSync(path, text)
  return { path, text }
}

it('changes nothing without a yes, then writes an entry that a client can start, then puts the file back', async () => {
  const { path, text } = putCursor()
  const asked = await init()
  expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('--yes') })
  expect(asked.stdout).toContain('+ "args"')
  expect(await init('--print', 'cursor')).toMatchObject({ code: 0 })
  expect(readFileSync(path, 'utf8')).toBe(text)

  const done = await init('--yes')
  expect(done).toMatchObject({ code: 0, stderr: expect.stringContaining(`Wrote ${path}`) })
  expect(done.stdout).not.toContain('s3cr3t-name')

  const { command, args, env: own } = JSON.parse(readFileSync(path, 'utf8')).mcpServers.mine
  const started = spawn(command, args, {
    cwd: home,
    env: { ...env(), ...own, XDG_CACHE_HOME: join(home, 'cache') },
  })
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
  started.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'initialize', params })}\n`)
  const [answer] = await once(started.stdout, 'data')
  expect(JSON.parse(answer).result).toMatchObject({ serverInfo: { name: 's3cr3t-name' } })
  started.stdin.end()
  await once(started, 'exit')

  const again = JSON.parse((await init('--yes', '--json')).stdout)
  expect(again).toMatchObject({
    written: false,
    files: [{ client: 'cursor', servers: [{ name: 'mine', stays: expect.anything() }] }],
  })
  expect(await init('--undo')).toMatchObject({ code: 0, stdout: `Put back ${path}\n` })
  expect(readFileSync(path, 'utf8')).toBe(text)
  expect((await init('--undo')).stdout).toBe('There is nothing to undo.\n')
})

it('puts all servers behind one wrapper, whose entry a client can start', async () => {
  const { path, text } = putCursor()
  expect(await init('--one', '--yes')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('mine: moves to '),
  })
  const { mcpServers } = JSON.parse(readFileSync(path, 'utf8'))
  expect(Object.keys(mcpServers)).toEqual(['refcache'])
  const tools = await toolsOf(mcpServers.refcache)
  expect(tools).toEqual(expect.arrayContaining(['mine_echo', 'get_cached_result']))
  expect(await init('--undo')).toMatchObject({ code: 0 })
  expect(readFileSync(path, 'utf8')).toBe(text)
})

it('says what it looked for, how an entry is written, and which server there is not', async () => {
  expect((await init()).stdout).toMatch(/No client with MCP servers.*Windsurf/)
  expect((await init('--print', 'codex')).stdout).toContain('[mcp_servers.NAME]\ncommand = ')
  expect((await init('--print', 'zed')).stdout).toContain('"context_servers"')
  expect(await init('--client', 'curser')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Did you mean cursor?'),
  })
  const { path } = putCursor()
  const two = { a: { command: 'a' }, b: { command: 'b' } }
  writeFileSync(path, JSON.stringify({ mcpServers: two }))
  expect((await init('--print', 'cursor')).stdout).toContain('With --one, the 2 servers')
  expect((await init('--print', 'cursor', '--one')).stdout).not.toContain('With --one')
  putCursor()
  expect(await init('--only', 'mime')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('Did you mean mine?'),
  })
  writeFileSync(join(home, '.cursor', 'mcp.json'), '{')
  expect(await init('--yes')).toMatchObject({ code: 1, stdout: expect.stringContaining('not valid JSON') })
})

it('lets no name of a file or a server steer the terminal, also as JSON', async () => {
  const { path } = putCursor()
  const name = 'a\u001b[31m\u009b2J\u202e'
  const project = join(home, 'p\u001b[2J')
  mkdirSync(join(project, '.cursor'), { recursive: true })
  const projectPath = join(project, '.cursor', 'mcp.json')
  for (const file of [path, projectPath])
    writeFileSync(file, JSON.stringify({ mcpServers: { [name]: { command: 'a' } } }))
  const asData = await init('--json', '--project', project)
  expect(JSON.parse(asData.stdout).files[0].servers[0].name).toBe(name)
  const written = await init('--yes', '--project', project)
  for (const file of [path, projectPath]) {
    const changed = readFileSync(file, 'utf8')
      .replace('"wrap"', '"wrap","--lazy"')
      .replace('}}}', '}},"x":1}')
    writeFileSync(file, changed)
  }
  const undone = await init('--undo')
  expect(undone.stdout).toContain('Left as it is')
  const shown = [asData, written, undone].map(({ stdout, stderr }) => stdout + stderr).join('')
  for (const char of ['\u001b', '\u009b', '\u202e']) expect(shown).not.toContain(char)
})
