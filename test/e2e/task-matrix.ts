import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Door, DRIVERS, type Driver } from './fixtures/task-drivers.ts'
import { MAIN, until, Workshop } from './fixtures/wrap-harness.ts'
import { gateIn, serverOf } from './fixtures/wrap-task-clients.ts'

/** Every client, over stdio and HTTP, in front of a server with tasks of its own and of one without: what they do, and what comes of it. */

type Wire = 'stdio' | 'HTTP'

const TOKEN = 'a1b2c3d4'.repeat(8)

export interface Cell {
  readonly client: string
  readonly wire: Wire
  readonly ownTasks: boolean
  readonly does: keyof typeof CASES
}

interface Place {
  readonly workshop: Workshop
  connect(): Promise<Driver>
  /** Ends the wrapper without warning; the next connection finds a new one on the same file. */
  kill(): Promise<void>
}

const CASES = {
  'calls quick work': async ({ workshop, connect }) => {
    const { gate, open } = gateIn(workshop)
    open({ value: 'quick' })
    const client = await connect()
    expect(await client.call('job', { gate })).toContain('quick')
  },
  'follows slow work': async ({ workshop, connect }) => {
    const { gate, open } = gateIn(workshop)
    const client = await connect()
    const kept = await client.begin('job', { gate })
    open({ value: 'slow' })
    expect(await client.finish(kept)).toContain('slow')
    expect(workshop.journal('begin')).toHaveLength(1)
  },
  'hears why work failed': async ({ workshop, connect }) => {
    const { gate, open } = gateIn(workshop)
    const client = await connect()
    const kept = await client.begin('job', { gate })
    open({ error: 'the disk is full' })
    expect(await client.finish(kept)).toContain('the disk is full')
  },
  'cancels work': async ({ workshop, connect }) => {
    const client = await connect()
    const kept = await client.begin('job', { gate: gateIn(workshop).gate })
    await until(() => workshop.journal('begin')[0], 'the work to begin')
    await client.cancel(kept)
    await until(() => workshop.journal('aborted')[0], 'the work to be aborted')
  },
  'is asked in the middle': async ({ connect }) => {
    const client = await connect()
    expect(await client.call('greet')).toContain('Hello, Ada!')
  },
  'comes back after a kill': async ({ workshop, connect, kill }) => {
    const { gate, open } = gateIn(workshop)
    const before = await connect()
    const kept = await before.begin('job', { gate })
    await until(() => workshop.journal('begin')[0], 'the work to begin')
    await kill()
    const after = await connect()
    open({ value: 'in the end' })
    expect(await after.finish(kept)).toContain('in the end')
  },
} satisfies Record<string, (place: Place) => Promise<void>>

/** A call that is to be answered with its result waits for it, also on a busy machine. */
function softTimeout(does: Cell['does']): string {
  return does === 'calls quick work' || does === 'is asked in the middle' ? '60s' : '300ms'
}

/** What a cell is not run for. */
function whyNot({ client, ownTasks, does }: Cell): string | undefined {
  const { era } = DRIVERS[client] ?? {}
  if (does === 'is asked in the middle' && client.includes('SDK v2') && era === '2026-07-28' && ownTasks) {
    return 'the server’s task asks, and the client knows no tasks'
  }
  return undefined
}

export const CELLS: Cell[] = Object.keys(DRIVERS).flatMap(client =>
  (['stdio', 'HTTP'] as const).flatMap(wire =>
    [false, true].flatMap(ownTasks =>
      (Object.keys(CASES) as Array<Cell['does']>).map(does => ({ client, wire, ownTasks, does })),
    ),
  ),
)

export function taskMatrix(cells: readonly Cell[]): void {
  let workshop: Workshop
  beforeEach(() => {
    workshop = new Workshop()
  })
  afterEach(() => workshop.close())

  const place = ({ client, wire, ownTasks, does }: Cell): Place => {
    const { era, connect } = DRIVERS[client] ?? expect.fail('no such client')
    const env = ownTasks ? { OWN_TASKS: '1' } : {}
    const wrap = ['wrap', '--store', workshop.store, '--lease', '2s', '--async-timeout', softTimeout(does)]
    let end = async () => {}
    const overStdio = (): Door => ({
      command: [process.execPath, MAIN, ...wrap, '--', ...serverOf(era)],
      env: { ...workshop.env, ...env },
    })
    const overHttp = async (): Promise<Door> => {
      // By its token a client is known again after the end of its session.
      const tokens = join(workshop.folder, 'tokens')
      writeFileSync(tokens, `${TOKEN} ada\n`, { mode: 0o600 })
      const http = ['--http', '0', '--tokens', tokens, '--', ...serverOf(era)]
      const raw = workshop.process([...wrap, ...http], env)
      end = async () => {
        raw.child.kill('SIGKILL')
        await raw.exit
      }
      const url = new URL(/on (http:\S+)/.exec(await raw.ready())?.[1] ?? '')
      return { url, headers: { authorization: `Bearer ${TOKEN}` } }
    }
    return {
      workshop,
      async connect() {
        const driver = await connect(wire === 'stdio' ? overStdio() : await overHttp())
        workshop.onEnd(() => driver.close().catch(() => {}))
        if (wire === 'stdio') end = async () => void process.kill(driver.pid ?? 0, 'SIGKILL')
        return driver
      },
      kill: () => end(),
    }
  }

  for (const [client, ofClient] of grouped(cells)) {
    describe(client, () => {
      for (const cell of ofClient) {
        const { wire, ownTasks, does } = cell
        const reason = whyNot(cell)
        const name = `${does}, over ${wire}, the server ${ownTasks ? 'with' : 'without'} tasks`
        if (reason === undefined) it(name, () => CASES[does](place(cell)))
        else it.skip(`${name}: ${reason}`)
      }
    })
  }
}

function grouped(cells: readonly Cell[]): Map<string, Cell[]> {
  const groups = new Map<string, Cell[]>()
  for (const cell of cells) groups.set(cell.client, [...(groups.get(cell.client) ?? []), cell])
  return groups
}
