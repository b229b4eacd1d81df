import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Door, DRIVERS, type Driver } from './fixtures/task-drivers.ts'
import { type JournalEvent, MAIN, until, Workshop } from './fixtures/wrap-harness.ts'
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

/** One wrapper and its client, for the cases of one client on one wire in front of one server. */
interface Place {
  readonly workshop: Workshop
  /** The client that is connected already, or a new one. */
  connect(): Promise<Driver>
  /** Ends the wrapper without warning; the next connection finds a new one on the same file. */
  kill(): Promise<void>
}

/** Each case has a gate of its own, and looks for what became of that alone. */
const CASES = {
  'calls quick work': async ({ workshop, connect }) => {
    const { gate, open } = gateIn(workshop)
    open({ value: 'quick' })
    const client = await connect()
    expect(await client.call('quick_job', { gate })).toContain('quick')
  },
  'follows slow work': async ({ workshop, connect }) => {
    const { gate, open } = gateIn(workshop)
    const client = await connect()
    const kept = await client.begin('job', { gate })
    open({ value: 'slow' })
    expect(await client.finish(kept)).toContain('slow')
    expect(seenOf(gate, workshop, 'begin')).toHaveLength(1)
  },
  'hears why work failed': async ({ workshop, connect }) => {
    const { gate, open } = gateIn(workshop)
    const client = await connect()
    const kept = await client.begin('job', { gate })
    open({ error: 'the disk is full' })
    expect(await client.finish(kept)).toContain('the disk is full')
  },
  'cancels work': async ({ workshop, connect }) => {
    const { gate } = gateIn(workshop)
    const client = await connect()
    const kept = await client.begin('job', { gate })
    await until(() => seenOf(gate, workshop, 'begin')[0], 'the work to begin')
    await client.cancel(kept)
    await until(() => seenOf(gate, workshop, 'aborted')[0], 'the work to be aborted')
  },
  'is asked in the middle': async ({ connect }) => {
    const client = await connect()
    expect(await client.call('greet')).toContain('Hello, Ada!')
  },
  'comes back after a kill': async ({ workshop, connect, kill }) => {
    const { gate, open } = gateIn(workshop)
    const before = await connect()
    const kept = await before.begin('job', { gate })
    await until(() => seenOf(gate, workshop, 'begin')[0], 'the work to begin')
    await kill()
    const after = await connect()
    open({ value: 'in the end' })
    expect(await after.finish(kept)).toContain('in the end')
  },
} satisfies Record<string, (place: Place) => Promise<void>>

function seenOf(gate: string, workshop: Workshop, event: string): JournalEvent[] {
  return workshop.journal(event).filter(seen => seen.gate === gate)
}

/** A call that is to be answered with its result waits for it, also on a busy machine; what is followed is answered with a handle soon. */
const SETTINGS = { defaults: { asyncTimeout: '60s' }, tools: { job: { asyncTimeout: '300ms' } } }

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
  for (const ofPlace of grouped(cells)) {
    const [{ client }] = ofPlace
    describe(client, () => {
      let place: Place
      beforeAll(() => {
        place = placeOf(ofPlace[0])
      })
      afterAll(() => place.workshop.close())

      for (const cell of ofPlace) {
        const { wire, ownTasks, does } = cell
        const reason = whyNot(cell)
        const name = `${does}, over ${wire}, the server ${ownTasks ? 'with' : 'without'} tasks`
        if (reason === undefined) it(name, () => CASES[does](place))
        else it.skip(`${name}: ${reason}`)
      }
    })
  }
}

function placeOf({ client, wire, ownTasks }: Cell): Place {
  const { era, connect } = DRIVERS[client] ?? expect.fail('no such client')
  const workshop = new Workshop()
  const env = ownTasks ? { OWN_TASKS: '1' } : {}
  const config = join(workshop.folder, 'config.json')
  writeFileSync(config, JSON.stringify(SETTINGS))
  const wrap = ['wrap', '--store', workshop.store, '--lease', '2s', '--config', config]
  let connected: Promise<Driver> | undefined
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
  const newClient = async () => {
    const driver = await connect(wire === 'stdio' ? overStdio() : await overHttp())
    workshop.onEnd(() => driver.close().catch(() => {}))
    if (wire === 'stdio') end = async () => void process.kill(driver.pid ?? 0, 'SIGKILL')
    return driver
  }
  return {
    workshop,
    connect() {
      connected ??= newClient()
      return connected
    },
    kill() {
      connected = undefined
      return end()
    },
  }
}

/** The cells of one client on one wire in front of one server. */
function grouped(cells: readonly Cell[]): Array<[Cell, ...Cell[]]> {
  const groups = new Map<string, [Cell, ...Cell[]]>()
  for (const cell of cells) {
    const place = JSON.stringify([cell.client, cell.wire, cell.ownTasks])
    groups.set(place, [...(groups.get(place) ?? []), cell] as [Cell, ...Cell[]])
  }
  return [...groups.values()]
}
