import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { packPackage } from './installed.ts'

/** A server of few lines and no packages. */
const SERVER = `
import { createInterface } from 'node:readline'
const TOOL = { name: 'echo', inputSchema: { type: 'object' } }
const ANSWERS = {
  initialize: ({ protocolVersion }) =>
    ({ protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'small', version: '1' } }),
  'tools/list': () => ({ tools: [TOOL] }),
  'tools/call': ({ arguments: { text } }) => ({ content: [{ type: 'text', text }] }),
}
createInterface({ input: process.stdin }).on('line', line => {
  const { id, method, params } = JSON.parse(line)
  if (id === undefined) return
  console.log(JSON.stringify({ jsonrpc: '2.0', id, result: ANSWERS[method]?.(params) ?? {} }))
})
`

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'refcache-command-'))
  const tarball = await packPackage(folder)
  await promisify(execFile)('tar', ['-xzf', tarball, '-C', folder])
  writeFileSync(join(folder, 'server.mjs'), SERVER)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function wrap(...args: string[]) {
  const main = join(folder, 'package/dist/cli/main.js')
  return spawn(process.execPath, [main, 'wrap', '--store', 'memory', ...args], { cwd: folder })
}

it('the command needs no other package, also with --url and --http', async () => {
  const listening = wrap('--http', '0', '--', process.execPath, 'server.mjs')
  const url = await new Promise<string>((resolve, reject) => {
    let log = ''
    listening.once('exit', () => reject(new Error(log)))
    listening.stderr.on('data', chunk => {
      log += chunk
      const found = /http:\S+\/mcp/.exec(log)
      if (found) resolve(found[0])
    })
  })
  const client = wrap('--url', url)
  const answers = createInterface({ input: client.stdout })[Symbol.asyncIterator]()
  const ask = async (id: number, method: string, params: object) => {
    client.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    const { value } = await answers.next()
    return (JSON.parse(value as string) as { result: unknown }).result
  }
  const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }
  expect(await ask(1, 'initialize', hello)).toMatchObject({ serverInfo: { name: 'small' } })
  client.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`)
  const long = 'a long text '.repeat(5000)
  const call = (text: string) => ({ name: 'echo', arguments: { text } })
  expect(await ask(2, 'tools/call', call('hi'))).toMatchObject({ content: [{ text: 'hi' }] })
  expect(JSON.stringify(await ask(3, 'tools/call', call(long)))).toContain('ref_id')
  client.stdin.end()
  await once(client, 'exit')
  listening.kill()
  await once(listening, 'exit')
})
