import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { expectUndamaged } from './fault/backends.ts'
import { runsOf } from './fault/outside.ts'
import { mountSmallDisk, type SmallDisk } from './fault/small-disk.ts'
import { Worker } from './fault/worker.ts'

/** Holds a cache and some values; the ballast takes the rest. */
const DISK_MB = 4
const SIZE = 200_000

let parent: string
let disk: SmallDisk | undefined

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'mcp-refcache-fault-'))
  disk = mountSmallDisk(parent, DISK_MB)
})

afterEach(async () => {
  disk?.unmount()
  await rm(parent, { recursive: true })
})

/** Where SQLite finds no room: on the small disk, or in a file that it may not make larger. */
interface Room {
  readonly path: string
  take(worker: Worker): Promise<void>
  give(worker: Worker): Promise<void>
}

it('answers store_full on a full disk, tears nothing, and goes on when there is room', async context => {
  const full = disk
  if (!full) {
    console.error('!!! No file system may be mounted here: the test with a really full disk is SKIPPED !!!')
    return context.skip()
  }
  await runOutOf({
    path: join(full.folder, 'cache.db'),
    take: async () => full.fill(),
    give: async () => full.free(),
  })
})

// The same where nothing may be mounted, and for what a quota does.
it('does so in a file that may not grow', () =>
  runOutOf({
    path: join(parent, 'cache.db'),
    take: worker => worker.limitPages(1),
    give: worker => worker.limitPages(1_000_000),
  }))

async function runOutOf(room: Room): Promise<void> {
  const { path } = room
  const record = join(parent, 'record')
  const gate = join(parent, 'gate')
  const worker = await Worker.start({ store: { kind: 'sqlite', at: path }, record })
  const before = await worker.call('safe', { id: 'before', size: SIZE })
  const running = await worker.call('unsafe', { id: 'running', size: SIZE, gate }, { asyncTimeout: 0 })
  await worker.hears(line => line.begun === 'running')

  await room.take(worker)
  // Small writes may still find room in the file itself, so one of so many must be refused.
  await expect(callsUntilRefused(worker)).rejects.toMatchObject({
    code: 'store_full',
    message: expect.stringMatching(/disk is full/),
  })
  writeFileSync(gate, '')
  await worker.hears(line => line.settling === running.refId)
  expect(await worker.look(before.refId)).toMatchObject({ status: 'complete', value: { intact: true } })
  expect(await worker.get(running.refId)).toMatchObject({ status: 'processing' })

  await room.give(worker)
  const outcome = await worker.outcome(running.refId)
  expect(outcome).toMatchObject({ status: 'complete', value: { intact: true, size: SIZE } })
  expect(runsOf(record, 'running')).toBe(1)
  const after = await worker.call('safe', { id: 'after', size: SIZE })
  for (const { refId } of [before, after]) {
    expect(await worker.look(refId)).toMatchObject({ status: 'complete', value: { intact: true } })
  }
  await worker.end(/^mcp-refcache error: .*disk is full.*\nmcp-refcache warn: .*works again.*\n$/)
  await expectUndamaged(path)
}

async function callsUntilRefused(worker: Worker): Promise<void> {
  for (let number = 0; number < 100; number++) {
    await worker.call('safe', { id: `full ${number}`, size: SIZE }, { asyncTimeout: 0 })
  }
}
