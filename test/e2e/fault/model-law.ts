import assert from 'node:assert/strict'
import {
  type CompleteEntry,
  type Entry,
  type FailedEntry,
  type InFlightEntry,
  isExpired,
  isInFlight,
} from '../../../src/core/entry.ts'
import type { RefId } from '../../../src/index.ts'
import { type Journal, LEASE, type Process, RETENTION, type Run, TTL, type Write } from './model-process.ts'

/** Three processes that die of one task are enough. */
const MAX_LOSSES = 3

/** What the law knows of a reference: the last write, and what was done and asked for so far. */
interface Case {
  /** Nothing: it was deleted. */
  entry: Entry | undefined
  value: unknown
  lastSign: number
  starts: number
  retries: number
  /** Takeovers of a task that had begun. */
  losses: number
  readonly runs: Run[]
  readonly asked: Set<'cancel' | 'retry' | 'delete'>
}

/** A write to an entry in flight. */
interface Flight {
  readonly by: Process
  readonly before: InFlightEntry
  readonly after: Entry
  readonly parts: Write['parts']
}

/**
 * What may become of an entry, whoever writes it and whatever else goes on. It judges each write that the store accepts and each
 * run of a handler; an offence is kept until somebody asks, since no error gets out of a store.
 */
export class Law implements Journal {
  readonly runs: Run[] = []
  /** How often each kind of thing happened: a model that never gets to the hard parts proves nothing. */
  readonly seen: Record<string, number> = {}
  readonly #cases = new Map<RefId, Case>()
  readonly #owners = new Map<string, Process>()
  readonly #now: () => number
  #offence: unknown

  constructor(now: () => number) {
    this.#now = now
  }

  get refIds(): RefId[] {
    return [...this.#cases.keys()]
  }

  asked(refId: RefId, what: 'cancel' | 'retry' | 'delete'): void {
    this.#cases.get(refId)?.asked.add(what)
  }

  wrote(write: Write): void {
    try {
      this.#judge(write)
    } catch (error) {
      this.offend(error)
    }
  }

  began(run: Run): void {
    this.runs.push(run)
    const known = this.#cases.get(run.refId)
    known?.runs.push(run)
    this.#see('run')
    if (!known || known.runs.length > known.starts) {
      this.offend(new Error(`once: run ${known?.runs.length} of ${known?.starts} starts`))
    }
  }

  offend(offence: unknown): void {
    this.#offence ??= offence
  }

  expectNoOffence(): void {
    if (this.#offence) throw this.#offence
  }

  /** No reference loses its entry before its time, and what is stored is what was written last. */
  expectStored(refId: RefId, stored: Entry | undefined): void {
    const { entry } = this.#cases.get(refId)!
    if (stored) assert.deepEqual(plain(stored), plain(entry))
    else
      assert.ok(!entry || isExpired(entry, this.#now()), `lost before it expired: ${JSON.stringify(entry)}`)
  }

  /** The value that a complete entry must have. */
  valueOf(refId: RefId): unknown {
    return this.#cases.get(refId)?.value
  }

  /** A task in flight is in living hands, and its handler at work. */
  expectRunning(entry: Entry): Run {
    assert.ok(isInFlight(entry))
    const owner = this.#owners.get(entry.lease.owner)
    const run = this.#cases.get(entry.refId)?.runs.at(-1)
    const said = JSON.stringify(entry)
    assert.ok(owner?.alive, `nobody has taken over ${said}`)
    assert.ok(run?.process === owner && !run.ended && !run.signal.aborted, `nobody runs ${said}`)
    return run
  }

  #judge({ by, before, after, parts }: Write): void {
    const known = this.#cases.get((before ?? after)!.refId)
    if (!before || !after || !known) {
      if (after) this.#claimed(by, after)
      else if (known) this.#deleted(known)
      return
    }
    const move = `${before.status} → ${after.status}`
    assert.equal(after.version, before.version + 1, move)
    if (isInFlight(before)) this.#judgeFlight(known, { by, before, after, parts })
    else if (before.status === 'failed' && !isInFlight(after))
      this.#judgeLate(known, by, before, after, parts)
    else this.#judgeRestart(known, before, after)
    if (isInFlight(after)) this.#owned(after.lease.owner, by)
    known.entry = after
    known.lastSign = this.#now()
  }

  #claimed(by: Process, entry: Entry): void {
    assert.equal(entry.status, 'pending')
    this.#see('claim')
    if (isInFlight(entry)) this.#owned(entry.lease.owner, by)
    const counts = { starts: 0, retries: 0, losses: 0, lastSign: this.#now() }
    this.#cases.set(entry.refId, { entry, value: undefined, runs: [], asked: new Set(), ...counts })
  }

  /** Its silence counts from its first task on. */
  #owned(lease: string, by: Process): void {
    this.#owners.set(lease, by)
    by.lastBeat ??= this.#now()
  }

  #deleted(known: Case): void {
    assert.ok(known.asked.has('delete'), 'nobody asked to delete it')
    this.#see('delete')
    known.entry = undefined
  }

  #judgeRestart(known: Case, before: Entry, after: Entry): void {
    assert.notEqual(before.status, 'complete', 'a finished task never changes')
    assert.ok(known.asked.has('retry') && after.status === 'pending', `${before.status} → ${after.status}`)
    this.#see('retry by hand')
    known.retries++
  }

  /** Work that was taken for lost ended after all, and nobody had begun it again. */
  #judgeLate(known: Case, by: Process, before: FailedEntry, after: Entry, parts: Write['parts']): void {
    const said = `${before.status} → ${after.status}, ${JSON.stringify(after)}`
    assert.equal(before.error.code, 'worker_lost', said)
    assert.equal(this.#owners.get(before.lostOwner ?? ''), by, `only the last owner settles late: ${said}`)
    this.#see('late settlement')
    if (after.status === 'complete') this.#judgeResult(known, after, parts, said)
    else assert.ok(after.status === 'failed' && known.runs.at(-1)?.ended === 'fail', said)
  }

  #judgeFlight(known: Case, { by, before, after, parts }: Flight): void {
    const owner = this.#owners.get(before.lease.owner)!
    const own = by === owner
    const said = `${before.toolName}: ${before.status} → ${after.status}, ${JSON.stringify(after)}`
    switch (after.status) {
      case 'pending':
      case 'processing':
        if (after.lease.owner !== before.lease.owner) this.#judgeTakeover(known, by, owner, before, after)
        else {
          assert.ok(own, `only the owner goes on with a task: ${said}`)
          if (after.status !== before.status) this.#judgeStart(known, after, said)
        }
        break
      case 'complete':
        assert.ok(own, `only the owner settles a task: ${said}`)
        this.#judgeResult(known, after, parts, said)
        break
      case 'failed':
        this.#judgeFailure(known, by, owner, before, after, said)
        break
      case 'cancelled':
        assert.ok(known.asked.has('cancel'), `nobody asked to cancel it: ${said}`)
        assert.equal(after.expiresAt, after.completedAt + RETENTION)
        this.#see('cancel')
    }
  }

  #judgeStart(known: Case, after: Entry, said: string): void {
    assert.equal(after.status, 'processing', said)
    known.starts++
    this.#see('start')
    const most = 1 + known.retries + (after.idempotent ? known.losses : 0)
    assert.ok(known.starts <= most, `started ${known.starts} times, and at most ${most} are right: ${said}`)
  }

  #judgeTakeover(known: Case, by: Process, owner: Process, before: Entry, after: Entry): void {
    this.#expectLost(known, owner, by)
    assert.equal(after.status, 'pending')
    assert.ok(before.status === 'pending' || before.idempotent, 'what may not be repeated is not taken over')
    if (before.status === 'processing') known.losses++
    this.#see(`takeover while ${before.status}`)
  }

  #expectLost(known: Case, owner: Process, by: Process): void {
    assert.ok(!owner.alive || owner.wasSilent, 'a task is taken from nobody who lives and is awake')
    // What it owns itself, and does not run, it takes whatever signs of life it gives.
    const lastSign = by === owner ? known.lastSign : (owner.lastBeat ?? known.lastSign)
    const silence = this.#now() - lastSign
    assert.ok(silence >= LEASE, 'a task is taken from nobody before its lease is over')
    // Its process may have given its last sign of life a third of a lease before the last change of the task; long before, where it slept.
    const sinceChange = this.#now() - known.lastSign
    assert.ok(owner.wasSilent || sinceChange >= (LEASE * 2) / 3, 'nor a short while after it changed')
  }

  #judgeResult(known: Case, after: CompleteEntry, parts: Write['parts'], said: string): void {
    const run = known.runs.at(-1)
    const bytes = parts.value
    assert.ok(
      run?.ended === 'finish' && bytes,
      `a result is that of the last run, which has finished: ${said}`,
    )
    // The first byte says that plain JSON follows (core/codec.ts).
    known.value = JSON.parse(Buffer.from(bytes.subarray(1)).toString())
    assert.deepEqual(known.value, resultOf(this.runs.indexOf(run)))
    assert.equal(after.expiresAt, after.completedAt + TTL)
    this.#see('result')
  }

  #judgeFailure(
    known: Case,
    by: Process,
    owner: Process,
    before: Entry,
    after: FailedEntry,
    said: string,
  ): void {
    assert.equal(after.expiresAt, after.completedAt + RETENTION)
    this.#see(`failure: ${after.error.code}`)
    if (after.error.code === 'task_failed') {
      assert.equal(known.runs.at(-1)?.ended, 'fail', `the last run has failed: ${said}`)
      return
    }
    assert.equal(after.error.code, 'worker_lost', said)
    this.#expectLost(known, owner, by)
    const repeatable = before.status === 'pending' || before.idempotent
    assert.ok(!repeatable || known.losses >= MAX_LOSSES, `it could have been run again: ${said}`)
  }

  #see(what: string): void {
    this.seen[what] = (this.seen[what] ?? 0) + 1
  }
}

/** The result of a run says which run it is of. */
export function resultOf(run: number): { run: number } {
  return { run }
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
