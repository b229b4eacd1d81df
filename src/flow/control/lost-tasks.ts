import { type InFlightEntry, isInFlight, ownerOf } from '../../core/entry.ts'
import type { RefId } from '../../core/ref.ts'
import { inChunks } from '../../core/steps.ts'
import type { Engine } from '../engine.ts'
import { giveUp, recover } from './recover.ts'

/** For so many lease durations a process that has the tool of a lost task is waited for. */
const PATIENCE = 2

/** So many tasks are recovered until the sweeper looks again whether their processes are silent. */
const SLICE = 500

/** The process of what was let go. */
export const NOBODY = ''

/** What a sweeper knows of a process that has tasks in flight. */
export interface Sighting {
  readonly beat: number | undefined
  /** Since when, by the sweeper's own clock, there was no other sign of life. */
  readonly since: number
  /** After so much silence it counts as lost. */
  readonly patience: number
  /** How many tasks it runs. */
  readonly running: number
  /** The most that it was seen to run by the last two sweeps, and all the time that it is silent. */
  readonly ran: number
}

/** When a sweep looked, and for how long nobody looked before it, beyond the interval. Both by the monotonic clock. */
export interface Look {
  readonly now: number
  readonly slept: number
}

interface LostTask {
  readonly refId: RefId
  readonly process: string
  readonly createdAt: number
}

/** A lost task whose tool this process lacks. */
interface LeftTask {
  /** Since when it is lost. */
  readonly since: number
  /** When to look at it again. */
  readonly again: number
}

/** The tasks of processes that are lost: each is run again, given up, or left to a process that has its tool. */
export class LostTasks {
  #left = new Map<RefId, LeftTask>()
  /** How many tools there were then, and returns of callers. */
  #chances = 0

  constructor(private readonly engine: Engine) {}

  async recover(sightings: ReadonlyMap<string, Sighting>, look: Look): Promise<void> {
    const leftBefore = this.#takeLeft(look)
    const lost: LostTask[] = []
    for (const [process, { since, patience }] of sightings) {
      if (look.now - since >= patience) await this.#collect(process, leftBefore, look, lost)
    }
    // The newest first: a task may wait for one that it called.
    lost.sort((a, b) => b.createdAt - a.createdAt)
    for (let at = 0; at < lost.length; at += SLICE) {
      const silent = await this.#silentStill(sightings)
      const slice = lost.slice(at, at + SLICE).filter(({ process }) => silent.has(process))
      await inChunks(slice, async task => {
        const entry = await this.#read(task)
        const { ran, since } = sightings.get(task.process) as Sighting
        if (!entry || (await recover(this.engine, entry, ran > 1))) return
        const lostSince = task.process === NOBODY ? look.now : since
        await this.#leave(entry, leftBefore.get(task.refId)?.since ?? lostSince, look)
      })
    }
  }

  /** A sign of life in the last moment wins. */
  async #silentStill(sightings: ReadonlyMap<string, Sighting>): Promise<Set<string>> {
    const owners = await this.engine.store.owners(this.engine.name)
    const silent = owners.filter(({ process, beat }) => sightings.get(process)?.beat === beat)
    return new Set(silent.map(({ process }) => process))
  }

  /** What was passed over by the sweep before; with another tool, or another caller, it may be another matter. */
  #takeLeft({ slept }: Look): ReadonlyMap<RefId, LeftTask> {
    const left = this.#left
    this.#left = new Map()
    const chances = this.engine.tools.size + this.engine.awaitedCallers.returns
    const isSame = chances === this.#chances
    this.#chances = chances
    if (isSame && slept === 0) return left
    const shifted = ({ since, again }: LeftTask) => ({
      since: since + slept,
      again: isSame ? again + slept : 0,
    })
    return new Map([...left].map(([refId, task]) => [refId, shifted(task)]))
  }

  async #collect(
    process: string,
    leftBefore: ReadonlyMap<RefId, LeftTask>,
    { now }: Look,
    lost: LostTask[],
  ): Promise<void> {
    for await (const batch of this.engine.store.tasksOf(this.engine.name, process)) {
      const due = batch.filter(refId => {
        const left = leftBefore.get(refId)
        if (!left || left.again <= now) return true
        this.#left.set(refId, left)
        return false
      })
      await inChunks(due, async refId => {
        const entry = await this.#read({ refId, process })
        if (entry) lost.push({ refId, process, createdAt: entry.createdAt })
      })
    }
  }

  /** The task as it is now, as long as it is of that process. */
  async #read({ refId, process }: Pick<LostTask, 'refId' | 'process'>): Promise<InFlightEntry | undefined> {
    const { store, running } = this.engine
    const entry = await store.get(refId)
    const isLost = entry && isInFlight(entry) && ownerOf(entry) === process && !running.has(refId)
    return isLost ? entry : undefined
  }

  /** Others that have its tool may come to it first. */
  async #leave(entry: InFlightEntry, since: number, { now }: Look): Promise<void> {
    const { leaseDuration } = this.engine.settings
    const patience = PATIENCE * Math.max(entry.lease.duration, leaseDuration)
    const isOver = now - since >= patience
    if (isOver && !this.#mayRunYet(entry, now - since)) await giveUp(this.engine, entry)
    else this.#left.set(entry.refId, { since, again: isOver ? now + leaseDuration : since + patience })
  }

  /** Here, when its caller is back; or where it waits in the queue of many processes, although this one lacks its tool. */
  #mayRunYet(entry: InFlightEntry, lostFor: number): boolean {
    const { awaitedCallers, settings, dispatcher } = this.engine
    const { taskRetention = Number.POSITIVE_INFINITY } = settings
    if (lostFor < taskRetention && awaitedCallers.isAwaitedBy(entry)) return true
    return entry.status === 'pending' && dispatcher.shared
  }
}
