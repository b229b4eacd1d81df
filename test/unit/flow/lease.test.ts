import { describe, expect, it, vi } from 'vitest'
import { type InFlightEntry, processOf } from '../../../src/core/entry.ts'
import type { EntryEvent } from '../../../src/core/entry-event.ts'
import { HardTimeout, TaskCancelled } from '../../../src/core/errors.ts'
import { begun } from '../../../src/core/transition.ts'
import {
  checkLease,
  LossWatch,
  limitTime,
  newLease,
  overTime,
  renewOrStop,
} from '../../../src/flow/run/lease.ts'
import { createEngine } from '../../../src/ref-cache-engine.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { pending, put } from '../../../src/testing/store-drafts.ts'

const { signal } = new AbortController()
const quiet = { warn: () => {}, error: () => {} }

/** A task that this process runs, with its lease held, and another process on the same store. */
async function held() {
  const clock = new FakeClock()
  const store = memoryStore()
  const engineOf = () =>
    createEngine(
      { name: 'files', clock, store, leaseDuration: '30s', logger: quiet },
      { closing: signal, stopping: signal },
    )
  const [here, there] = [engineOf(), engineOf()]
  const draft = pending({ idempotent: true, lease: newLease(here) })
  const entry = (await put(store, begun(draft, clock.now()))) as InFlightEntry
  const stop = vi.fn<(reason: unknown) => void>()
  const work = { stop }
  const losses = new LossWatch(here, entry.refId, entry.lease.owner, work)
  const elsewhere = async (event: EntryEvent) => {
    expect((await there.entries.change(entry.refId, event)).refused).toBeUndefined()
    await clock.advance(0)
  }
  const take = async (): Promise<EntryEvent> => {
    const seen = (await store.get(entry.refId))?.version ?? 0
    return { type: 'take', seen, lease: newLease(there), together: false, now: clock.now() }
  }
  return {
    clock,
    store,
    engine: here,
    there,
    entry,
    stop,
    work,
    elsewhere,
    take,
    losses,
    hold: () => {
      losses.begin(entry)
      return () => losses.end()
    },
  }
}

describe('a lease that is held', () => {
  it.each(['cancels it', 'takes it'])('stops the work at once when another process %s', async how => {
    const { stop, elsewhere, take, hold } = await held()
    const release = hold()
    await elsewhere(how === 'takes it' ? await take() : { type: 'cancel', now: 1, expiresAt: undefined })
    expect(stop).toHaveBeenCalledOnce()
    const [reason] = stop.mock.calls[0] as [unknown]
    expect(reason).toBeInstanceOf(TaskCancelled)
    expect((reason as Error).message).toBe('The task was cancelled or taken over.')
    release()
  })

  it('stops the work whose entry is deleted', async () => {
    const { clock, store, entry, stop, hold } = await held()
    const release = hold()
    await store.delete(entry.refId)
    await clock.advance(0)
    expect(stop).toHaveBeenCalled()
    release()
  })

  it('does not stop work that has completed, nor for another change by its owner', async () => {
    const { clock, engine, entry, stop, hold } = await held()
    const release = hold()
    const { owner } = entry.lease
    await engine.entries.change(entry.refId, { type: 'derive', owner, derivedFrom: [] })
    const settled = {
      type: 'complete',
      owner,
      valueBytes: 1,
      now: clock.now(),
      expiresAt: undefined,
    } as const
    await engine.entries.change(entry.refId, settled, { value: new Uint8Array([0]) })
    await clock.advance(0)
    expect(stop).not.toHaveBeenCalled()
    release()
  })
})

describe('a look at a lease', () => {
  it('notices what nobody told of, and leaves work that is held or has completed alone', async () => {
    const { store, losses, entry, stop, take, there } = await held()
    vi.spyOn(store, 'watch').mockReturnValue(() => {})
    await losses.check()
    expect(stop).not.toHaveBeenCalled()
    await there.entries.change(entry.refId, await take())
    await losses.check()
    expect(stop).toHaveBeenCalledWith(expect.any(TaskCancelled))
  })
})

describe('a step of a task', () => {
  it('that is still ours is made, and gives what is stored now', async () => {
    const { engine, entry, stop, work } = await held()
    const event = { type: 'derive', owner: entry.lease.owner, derivedFrom: [] } as const
    const renewed = await renewOrStop(engine, entry.refId, event, work)
    expect(renewed).toMatchObject({ entry: { version: 2 } })
    expect(renewed?.refused).toBeUndefined()
    expect(stop).not.toHaveBeenCalled()
  })

  it('that is no longer ours stops the work, and says why not', async () => {
    const { engine, entry, stop, work, elsewhere, take } = await held()
    await elsewhere(await take())
    const event = { type: 'derive', owner: entry.lease.owner, derivedFrom: [] } as const
    expect(await renewOrStop(engine, entry.refId, event, work)).toMatchObject({ refused: 'lease_lost' })
    expect(stop).toHaveBeenCalledWith(expect.any(TaskCancelled))
  })
})

describe('the check of a lease', () => {
  it('passes for who holds it, and for nobody else', async () => {
    const { engine, entry, elsewhere, take, store } = await held()
    await checkLease(engine, entry.refId, entry.lease)
    await expect(checkLease(engine, entry.refId, newLease(engine))).rejects.toThrow(TaskCancelled)
    await elsewhere(await take())
    await expect(checkLease(engine, entry.refId, entry.lease)).rejects.toThrow(TaskCancelled)
    await store.delete(entry.refId)
    await expect(checkLease(engine, entry.refId, entry.lease)).rejects.toThrow(TaskCancelled)
  })

  it('does not pass for a task that has ended, whoever ran it', async () => {
    const { engine, entry, elsewhere } = await held()
    await elsewhere({ type: 'cancel', now: 1, expiresAt: undefined })
    await expect(checkLease(engine, entry.refId, entry.lease)).rejects.toThrow(TaskCancelled)
  })
})

describe('the hard timeout', () => {
  it('tells work that runs for too long; who ends in time hears nothing', async () => {
    const { clock, engine } = await held()
    const [onDue, never] = [vi.fn(), vi.fn()]
    limitTime(engine, 1_500, { onDue })
    limitTime(engine, 1_500, { onDue: never })?.end()
    await clock.advance(1_499)
    expect(onDue).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(onDue).toHaveBeenCalledOnce()
    expect(never).not.toHaveBeenCalled()
  })

  it('counts from when the work began, also where somebody else began it', async () => {
    const { clock, engine } = await held()
    const [some, all] = [vi.fn(), vi.fn()]
    limitTime(engine, 1_500, { onDue: some }, 500)
    limitTime(engine, 1_500, { onDue: all }, 5_000)
    await clock.advance(0)
    expect(all).toHaveBeenCalledOnce()
    await clock.advance(999)
    expect(some).not.toHaveBeenCalled()
    await clock.advance(1)
    expect(some).toHaveBeenCalledOnce()
  })

  it('is none where the tool has none', async () => {
    const { clock, engine } = await held()
    const onDue = vi.fn()
    limitTime(engine, undefined, { onDue })
    await clock.advance('1000d')
    expect(onDue).not.toHaveBeenCalled()
  })

  it('says what the limit was', () => {
    expect(overTime(1_500)).toBeInstanceOf(HardTimeout)
    expect(overTime(1_500).message).toBe('The tool ran longer than its limit of 1.5 s and was stopped.')
  })
})

it('a lease names its process, and each one is another', async () => {
  const { engine, there } = await held()
  const [one, two] = [newLease(engine), newLease(engine)]
  expect(one.owner).not.toBe(two.owner)
  expect(one.duration).toBe(30_000)
  expect([one, two].map(processOf)).toEqual([engine.instance, engine.instance])
  expect(processOf(newLease(there))).toBe(there.instance)
  expect(there.instance).not.toBe(engine.instance)
})
