import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { scriptOf } from '../e2e/fixtures/programs.ts'
import { EVERYTHING, FILESYSTEM, Workshop } from '../e2e/fixtures/wrap-harness.ts'
import { Agent } from './agent.ts'
import { graphFile, writeFiles } from './folder.ts'
import type { Place, Task } from './tasks.ts'

/** Slow work is short here; `TASKS_REAL_TIME=1` gives it the 90 s and 30 s that people know. */
const isReal = process.env.TASKS_REAL_TIME !== undefined
const [SLOW_SECONDS, REPORT_MS] = isReal ? [90, 30_000] : [2, 1_500]
const PATIENCE = isReal ? [] : ['--async-timeout', '500ms']

const workshop = new Workshop()
const graph = join(workshop.folder, 'memory.jsonl')
const place: Place = {
  folder: join(workshop.folder, 'files'),
  slow: SLOW_SECONDS,
  writeGraph: when => writeFileSync(graph, graphFile(when)),
}

/** Each task, as an agent does it that knows tools, instructions and answers, through `wrap` and without. */
export function solve(tasks: readonly Task[], mostTokens: number): void {
  const table: string[][] = [['', 'calls', 'read', 'written', 'direct', 'written', 'solved, direct']]
  let total = 0
  beforeAll(() => {
    writeFiles(place.folder)
    workshop.setEnv({ MEMORY_FILE_PATH: graph, REPORT_MS: `${REPORT_MS}` })
  })
  afterAll(async () => {
    await workshop.close()
    if (process.env.npm_lifecycle_event === 'tasks') print(table, total)
  })

  it.each(tasks.map(task => [`${task.server}: ${task.what}`, task] as const))('%s', async (what, task) => {
    const wrapped = new Agent(await clientOf(task, 'wrapped'))
    const [outcome, wanted] = await task.solve(wrapped, place)
    const direct = new Agent(await clientOf(task, 'direct'))
    await task.direct(direct, place)
    expect(outcome).toEqual(wanted)
    expect(wrapped.failure).toBeUndefined()
    if (task.most) {
      expect(wrapped.calls).toBeLessThanOrEqual(task.most.calls)
      expect(wrapped.read + wrapped.written).toBeLessThanOrEqual(task.most.tokens)
    }
    // Nothing is dearer than without references, but for what a preview costs.
    if (direct.failure === undefined) expect(wrapped.read).toBeLessThanOrEqual(direct.read * 1.02 + 1_300)
    total += wrapped.read
    const figures = [wrapped.calls, wrapped.read, wrapped.written, direct.read, direct.written]
    const isSolved = direct.failure === undefined ? 'yes' : `no: ${direct.failure}`
    table.push([what, ...figures.map(figure => `${Math.round(figure)}`), isSolved])
  })

  it('takes few tokens in all', () => {
    expect(table).toHaveLength(1 + tasks.length)
    expect(total).toBeLessThan(mostTokens)
  })
}

const clients = new Map<string, Promise<{ client: Client }>>()

/** A client of the server of a task, behind `wrap` or as it is. Most clients of today know no later revision. */
async function clientOf({ server, isSlow }: Task, how: 'wrapped' | 'direct'): Promise<Client> {
  const key = `${server}, ${how}, ${isSlow ? 'slow' : 'quick'}`
  const client = { versionNegotiation: { mode: 'legacy' } } as const
  const wrap = isSlow ? PATIENCE : []
  const connect = () =>
    how === 'wrapped'
      ? workshop.client(commandOf(server), { wrap, client })
      : workshop.connect(commandOf(server), { client })
  const connected = clients.get(key) ?? connect()
  clients.set(key, connected)
  return (await connected).client
}

function commandOf(server: Task['server']): readonly string[] {
  switch (server) {
    case 'filesystem':
      return [...FILESYSTEM, place.folder]
    case 'everything':
      return EVERYTHING
    case 'memory':
      return [process.execPath, scriptOf('@modelcontextprotocol/server-memory')]
    case 'orders':
      return [process.execPath, fileURLToPath(new URL('./orders-server.mjs', import.meta.url))]
  }
}

function print(table: readonly string[][], total: number): void {
  const widths = table[0]!.map((_, column) => Math.max(...table.map(row => row[column]!.length)))
  for (const row of table) {
    console.log(
      row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  '),
    )
  }
  console.log(`${Math.round(total)} tokens read in all`)
}
