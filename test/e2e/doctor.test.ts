import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))
const MEMORY = path('node_modules/@modelcontextprotocol/server-memory/dist/index.js')

let home: string
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'refcache-doctor-'))
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

async function doctor(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH, HOME: home, MEMORY_FILE_PATH: join(home, 'memory.json') }
  const ran = promisify(execFile)(process.execPath, [path('dist/cli/main.js'), 'doctor', ...args], {
    cwd: home,
    env,
  })
  return ran.then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  )
}

it('starts the servers of a file, alone and behind the wrapper, and says what their lists of tools cost', async () => {
  const file = join(home, 'servers.json')
  const memory = { command: process.execPath, args: [MEMORY] }
  writeFileSync(file, JSON.stringify({ mcpServers: { memory, second: memory } }))
  const { code, stdout } = await doctor('--servers', file, '--json')
  const { ok, findings } = JSON.parse(stdout)
  const { data, ...server } = findings.find(({ about }: { about: string }) => about === 'server')
  expect({ code, ok, server }).toMatchObject({
    code: 0,
    ok: true,
    server: { subject: 'memory', level: 'ok' },
  })
  expect(data.tools).toBeGreaterThan(5)
  expect(data.tokensWrapped - data.tokens).toBeGreaterThan(0)
  expect(data.tokensWrapped - data.tokens).toBeLessThan(1_200)
  const together = findings.at(-1)
  expect(together).toMatchObject({ level: 'ok', message: expect.stringContaining('behind one') })
  expect(together.data.tokensWrapped).toBeLessThan(2 * data.tokensWrapped)
})

it('ends with 1 where something is to be mended, in words for people', async () => {
  const { code, stdout } = await doctor('--', 'no-such-command')
  expect(code).toBe(1)
  expect(stdout).toMatch(/^MEND {2}no-such-command: .*ENOENT\n {6}→ /m)
  expect(stdout).toMatch(/^1 to mend, /m)
  expect(await doctor('--servers', join(home, 'none.json'))).toMatchObject({ code: 2 })
})
