import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { script } from './clients.ts'
import { interleave } from './interleave.ts'
import { duration, type Row } from './row.ts'

const PLAN = { rounds: 21, batch: 1 }
const SERVER = [process.execPath, script('./servers/small.js')]
const WRAP = [script('../../../dist/cli/main.js'), 'wrap', '--store', 'memory', '--', ...SERVER]
const PIPE = [script('./servers/pipe.js'), ...SERVER]
const SETTLE_MS = 3_000

const INITIALIZE = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'bench', version: '1' } },
}

/** From the start of the process to the answer to `initialize`: `wrap`, and a process that only pipes bytes. */
export async function startBench(): Promise<Row[]> {
  const [wrapMs, pipeMs] = await interleave([() => start(WRAP), () => start(PIPE)], PLAN)
  const added = duration(wrapMs! - pipeMs!)
  return [
    {
      what: 'start, until initialize is answered',
      ours: `${duration(wrapMs!)} (${added} more)`,
      against: `only pipes: ${duration(pipeMs!)}`,
      ratio: wrapMs! / pipeMs!,
    },
    await importing(),
    ...(await idleMemory()),
  ]
}

/** A server that has references against one that has none, until all is imported. */
async function importing(): Promise<Row> {
  const plain = ['zod', '@modelcontextprotocol/server']
  const ours = ['../dist/index.js', '../dist/mcp/index.js', '../dist/stores/sqlite.js']
  const [oursMs, plainMs] = await interleave([() => load([...plain, ...ours]), () => load(plain)], PLAN)
  return {
    what: 'import of the package, its MCP adapter and SQLite store',
    ours: `${duration(oursMs!)} (${duration(oursMs! - plainMs!)} more)`,
    against: `zod and the SDK: ${duration(plainMs!)}`,
    ratio: oursMs! / plainMs!,
  }
}

async function load(modules: readonly string[]): Promise<void> {
  const lines = modules.map(module =>
    module.startsWith('.') ? fileURLToPath(new URL(`../../${module}`, import.meta.url)) : module,
  )
  const script = lines.map(module => `import ${JSON.stringify(module)}`).join('\n')
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number]
  if (code !== 0) throw new Error(`The imports failed with exit code ${code}.`)
}

/** What an idle wrapper holds in memory, where the system tells. */
async function idleMemory(): Promise<Row[]> {
  if (process.platform !== 'linux') return []
  let held = 0
  await start(WRAP, async pid => {
    await sleep(SETTLE_MS)
    held = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  })
  return [{ what: 'memory of an idle wrap', ours: `${held.toFixed(0)} MB` }]
}

async function start(args: readonly string[], whileIdle: (pid: number) => Promise<void> = async () => {}) {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.write(`${JSON.stringify(INITIALIZE)}\n`)
  await once(child.stdout, 'data')
  await whileIdle(child.pid!)
  child.stdin.end()
  const ended = once(child, 'exit')
  child.kill()
  await ended
}
