import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client } from '@modelcontextprotocol/client'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { packPackage } from './installed.ts'

/**
 * A newcomer's first minutes: `mcp-refcache new` out of the packed tarball, and what comes of it, installed from the registry.
 * Run `npm run build` first.
 */
const run = promisify(execFile)

let place: string
let client: Client
beforeAll(async () => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'refcache-template-')))
  const tarball = await packPackage(place)
  await run('tar', ['-xzf', tarball, '-C', place])
  const command = join(place, 'package/dist/cli/main.js')
  await run(process.execPath, [command, 'new', 'shop'], { cwd: place })
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], { cwd: inProject() })
}, 300_000)
afterAll(async () => {
  await client?.close()
  rmSync(place, { recursive: true, force: true })
})

const inProject = (path = '') => join(place, 'shop', path)

it('its tests pass', async () => {
  const { stdout } = await run('npm', ['test'], { cwd: inProject() })
  expect(stdout).toMatch(/^(?:#|ℹ) pass [1-9]/m)
  expect(stdout).toMatch(/^(?:#|ℹ) fail 0$/m)
})

it('a client starts it on stdio, gets a handle of the slow tool, then the result', async () => {
  client = new Client({ name: 'agent', version: '1.0.0' })
  const env = { PATH: process.env.PATH!, XDG_CACHE_HOME: join(place, 'cache') }
  const args = [inProject('dist/main.js')]
  await client.connect(new StdioClientTransport({ command: process.execPath, args, env }))
  expect(client.getServerVersion()?.name).toBe('shop')

  expect(await call('count_orders', { year: 2026, month: 1 })).toEqual({ orders: 500 })
  const { status, ref_id } = await call('build_report', { year: 2026 })
  expect(status).toBe('processing')
  expect(await call('list_orders', { year: 2026 })).toMatchObject({ is_complete: false, total_items: 6000 })
  expect(await call('average', { numbers: (await call('load_wages')).ref_id })).toBe(65_533)
  expect(await call('get_cached_result', { ref_id })).toMatchObject({ status: 'complete', ref_id })
})

it('what it gave can be read after a restart', async () => {
  const { ref_id } = await call('list_orders', { year: 2025 })
  await client.close()
  const env = { ...process.env, XDG_CACHE_HOME: join(place, 'cache') }
  const own = inProject('node_modules/.bin/mcp-refcache')
  const { stdout } = await run(own, ['show', ref_id, '--json'], { cwd: inProject(), env })
  expect(JSON.parse(stdout)).toMatchObject({ status: 'complete' })
})

it('Ctrl-C closes it, as the end of its client does', async () => {
  const env = { ...process.env, XDG_CACHE_HOME: join(place, 'cache') }
  const server = spawn(process.execPath, [inProject('dist/main.js')], { env })
  server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' })}\n`)
  await once(server.stdout, 'data')
  server.kill('SIGINT')
  expect(await once(server, 'exit')).toEqual([0, null])
})

async function call(name: string, args: Record<string, unknown> = {}) {
  const { content } = await client.callTool({ name, arguments: args })
  return JSON.parse((content as { text: string }[])[0]!.text)
}
