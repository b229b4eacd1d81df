import assert from 'node:assert/strict'
import { type InFlightEntry, isExpired, isInFlight } from '../../../src/core/entry.ts'
import { isSuspect } from '../../../src/core/losses.ts'
import { actor, RefCache, type RefId } from '../../../src/index.ts'
import type { Store } from '../../../src/stores/store.ts'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { Law, resultOf } from './model-law.ts'
import { LEASE, Process, SWEEP, type ToolName } from './model-process.ts'

/** What a test may do; numbers choose among what is there. */
export type Step =
  | { do: 'call'; process: number; tool: ToolName; n: number }
  | { do: 'poll' | 'cancel' | 'retry' | 'delete'; process: number; ref: number }
  | { do: 'finish' | 'fail'; run: number }
  | { do: 'advance'; ms: number }
  | { do: 'crash' | 'pause' | 'resume' | 'find'; process: number }
  | { do: 'crashIn'; process: number; halfSteps: number }
  | { do: 'loseIn'; process: number; operations: number }
  | { do: 'together'; steps: readonly Step[] }

type Question = Extract<Step, { ref: number }>

const PROCESSES = 2
/** A result that found the store away is offered again after so long at most. */
const SETTLE_PAUSE = 5_000
const REFUSALS = ['not_found', 'invalid_argument', 'task_not_ready', 'store_unavailable']
const HOST = { actor: actor.system() }
const MODEL = { cacheName: 'model', limit: 1_000 }

/** Two processes on one store, under one law. */
export class World {
  readonly #clock = new FakeClock()
  readonly #law = new Law(() => this.#clock.now())
  readonly #processes: Array<Process | undefined> = []
  readonly #open: () => Store
  readonly #store: Store
  /** Looks on from outside; it takes nothing over. */
  readonly #observer: RefCache

  /** @param open gives a handle of the store, and each time the same entries. */
  constructor(open: () => Store) {
    this.#open = open
    this.#store = open()
    this.#observer = new RefCache({
      name: 'model',
      store: this.#store,
      clock: this.#clock,
      sweepInterval: '1000h',
    })
  }

  get seen(): Readonly<Record<string, number>> {
    return this.#law.seen
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#do(step)
      await this.#check()
    }
    await this.#expectAllEnd()
  }

  /** Begins the step; the clock's own moment lets it come to its end, unless its process sleeps or dies of it. */
  #do(step: Step): void | Promise<void> {
    switch (step.do) {
      case 'call':
        return this.#call(step)
      case 'poll':
      case 'cancel':
      case 'retry':
      case 'delete':
        return this.#ask(step)
      case 'finish':
      case 'fail':
        return this.#endRun(step.do, step.run)
      case 'advance':
        return this.#clock.advance(step.ms)
      case 'crashIn':
        return this.#process(step.process).crashIn(step.halfSteps)
      case 'loseIn':
        return this.#process(step.process).loseIn(step.operations)
      case 'crash':
      case 'pause':
      case 'resume':
      case 'find':
        return this.#process(step.process)[step.do]()
      case 'together':
        for (const inner of step.steps) void this.#do(inner)
    }
  }

  /** Started when it is first needed, and again after a crash. */
  #process(number: number): Process {
    const running = this.#processes[number]
    if (running?.alive) return running
    const started = new Process(this.#open(), this.#clock, this.#law)
    this.#processes[number] = started
    return started
  }

  #call({ process, tool, n }: Extract<Step, { do: 'call' }>): void {
    const answer = this.#process(process).tools[tool]({ n })
    answer.then(({ refId }) => {
      if (!this.#law.refIds.includes(refId)) this.#law.offend(new Error('durable before the answer'))
    }, this.#refused)
  }

  #ask(step: Question): void {
    const refId = this.#law.refIds.at(-1 - step.ref)
    if (refId === undefined) return
    const { cache } = this.#process(step.process)
    if (step.do !== 'poll') this.#law.asked(refId, step.do)
    const ways = {
      poll: () => cache.get(refId, HOST),
      cancel: () => cache.cancelTask(refId, HOST),
      retry: () => cache.retryTask(refId, HOST),
      delete: () => cache.delete(refId, HOST),
    }
    ways[step.do]().catch(this.#refused)
  }

  /** Of two who want different things, one may find that it cannot be. */
  readonly #refused = (error: Error & { code?: string }): void => {
    if (!REFUSALS.includes(error.code ?? '')) this.#law.offend(error)
  }

  #endRun(how: 'finish' | 'fail', number: number): void {
    const going = this.#law.runs.filter(({ ended }) => !ended)
    const run = going.at(-1 - number)
    if (!run) return
    run.ended = how
    if (how === 'finish') run.finish(resultOf(this.#law.runs.indexOf(run)))
    else run.fail(new Error('It was told to fail.'))
  }

  /** When all that can happen at this moment has happened. */
  async #check(): Promise<void> {
    await this.#clock.advance(0)
    this.#law.expectNoOffence()
    const entries = await this.#store.list(MODEL)
    const live = entries.filter(entry => !isExpired(entry, this.#clock.now()))
    const keys = live.flatMap(({ key }) => key ?? [])
    assert.equal(new Set(keys).size, keys.length, 'no two live entries hold one key')
    for (const refId of this.#law.refIds) {
      this.#law.expectStored(
        refId,
        entries.find(entry => entry.refId === refId),
      )
      await this.#expectTruth(
        refId,
        live.find(entry => entry.refId === refId),
      )
    }
  }

  /** A poll from a process that did none of it says what is stored. */
  async #expectTruth(refId: RefId, entry: { status: string } | undefined): Promise<void> {
    const answer = this.#observer.get(refId, HOST)
    if (!entry) await assert.rejects(answer, { code: 'not_found' })
    else {
      const { status, value } = (await answer) as { status: string; value?: unknown }
      assert.equal(status, entry.status)
      if (status === 'complete') assert.deepEqual(value, this.#law.valueOf(refId))
    }
  }

  /** With one process awake, every task is in its hands after lease and sweep interval, and can be brought to its end. */
  async #expectAllEnd(): Promise<void> {
    for (let number = 0; number < PROCESSES; number++) {
      const process = this.#process(number)
      process.crashIn(Number.POSITIVE_INFINITY)
      process.resume()
      process.find()
    }
    await this.#clock.advance(LEASE + SWEEP + SETTLE_PAUSE)
    await this.#check()
    for (let left = await this.#inFlight(); left.length > 0; left = await this.#inFlight())
      await this.#end(left)
  }

  /** Tasks that were lost together twice run one at a time; all others run now. */
  async #end(inFlight: readonly InFlightEntry[]): Promise<void> {
    const running = inFlight.filter(({ status, losses }) => status === 'processing' || !isSuspect(losses))
    assert.ok(running.length > 0, 'of tasks that take turns one runs')
    for (const entry of running) {
      const run = this.#law.expectRunning(entry)
      run.ended = 'finish'
      run.finish(resultOf(this.#law.runs.indexOf(run)))
    }
    await this.#check()
    for (const { refId } of running) {
      assert.equal((await this.#store.get(refId))?.status, 'complete', `${refId} has its result`)
    }
  }

  async #inFlight(): Promise<InFlightEntry[]> {
    return (await this.#store.list(MODEL)).filter(isInFlight)
  }

  async close(): Promise<void> {
    for (const process of this.#processes) process?.crash()
    await this.#observer.close()
  }
}
