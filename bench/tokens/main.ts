import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connected, overStdio, script } from '../clients.ts'
import { Agent, type Cost } from './agent.ts'
import { type Field, tokensIn } from './reading.ts'
import { memoryFile, SERVERS, TASKS } from './tasks.ts'

/**
 * `npm run bench:tokens`: what a model reads, direct and through `wrap` as it ships. Each task as an agent would do it that knows only
 * the answers. `npm run bench:tokens -- claude-code structured` asks as another client, and counts the field that it reads.
 */
const WRAP = script('../../../dist/cli/main.js')

interface Row {
  readonly what: string
  readonly direct: Cost
  readonly wrapped: Cost
}

const [clientName = 'bench', field = 'larger'] = process.argv.slice(2)
/** Most clients of today know no later revision. */
const AS = { clientName, mode: 'legacy' } as const
async function taskRows(server: string, direct: Connected, wrapped: Connected): Promise<Row[]> {
  const rows: Row[] = []
  for (const task of TASKS.filter(one => one.server === server)) {
    const costOf = async ({ client }: Connected) => {
      const agent = new Agent(client, field as Field)
      await task.run(agent)
      return agent.cost
    }
    const what = `${server}: ${task.what}`
    rows.push({ what, direct: await costOf(direct), wrapped: await costOf(wrapped) })
  }
  return rows
}

/** As a model sees a list: name, description and input schema; what some clients show besides in a row of its own. */
async function listRows(server: string, direct: Connected, wrapped: Connected): Promise<Row[]> {
  const [theirs, all] = await Promise.all([listed(direct), listed(wrapped)])
  const names = new Set(theirs.map(tool => tool.name))
  const ours = all.filter(tool => !names.has(tool.name))
  const shown = all.filter(tool => names.has(tool.name))
  return [
    row(`${server}: its ${theirs.length} tools`, listCost(theirs, INPUT), listCost(shown, INPUT)),
    row(`${server}: their output schemas`, listCost(theirs, OUTPUT), listCost(shown, OUTPUT)),
    row(`${server}: our ${ours.length} tools beside them`, { tokens: 0, calls: 0 }, listCost(ours, INPUT)),
    row(`${server}: instructions`, instructionsCost(direct), instructionsCost(wrapped)),
  ]
}

function row(what: string, direct: Cost, wrapped: Cost): Row {
  return { what, direct, wrapped }
}

type Listed = Awaited<ReturnType<Connected['client']['listTools']>>['tools'][number]

async function listed({ client }: Connected): Promise<Listed[]> {
  return (await client.listTools()).tools
}

const INPUT = ({ name, description, inputSchema }: Listed) => ({ name, description, inputSchema })
const OUTPUT = ({ outputSchema }: Listed) => outputSchema

function listCost(tools: readonly Listed[], part: (tool: Listed) => unknown): Cost {
  const parts = tools.map(part).filter(one => one !== undefined)
  return { calls: 0, tokens: parts.reduce<number>((sum, one) => sum + tokensIn(JSON.stringify(one)), 0) }
}

function instructionsCost({ client }: Connected): Cost {
  return { calls: 0, tokens: tokensIn(client.getInstructions() ?? '') }
}

function print(rows: readonly Row[]): void {
  const lines = [
    ['', 'direct', 'calls', 'wrapped', 'calls', 'ratio'],
    ...rows.map(({ what, direct, wrapped }) => [
      what,
      `${direct.tokens}`,
      `${direct.calls}`,
      `${wrapped.tokens}`,
      `${wrapped.calls}`,
      direct.tokens === 0 ? '' : `${(wrapped.tokens / direct.tokens).toFixed(2)}×`,
    ]),
  ]
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map(line => line[column]!.length)))
  for (const line of lines) {
    console.log(
      line.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  '),
    )
  }
}

const folder = mkdtempSync(join(tmpdir(), 'refcache-tokens-'))
try {
  const rows: Row[] = []
  const env = { MEMORY_FILE_PATH: join(folder, 'memory.jsonl') }
  writeFileSync(env.MEMORY_FILE_PATH, memoryFile())
  for (const [server, command] of Object.entries(SERVERS)) {
    const wrap = [WRAP, 'wrap', '--store', join(folder, `${server}.db`), '--', process.execPath, ...command]
    const [direct, wrapped] = await Promise.all([overStdio(command, env, AS), overStdio(wrap, env, AS)])
    try {
      rows.push(...(await listRows(server, direct, wrapped)), ...(await taskRows(server, direct, wrapped)))
    } finally {
      await Promise.all([direct.close(), wrapped.close()])
    }
  }
  console.log(`As the client '${clientName}'; tokens (o200k) of what a model reads, in the field: ${field}\n`)
  print(rows)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
