import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AccessPolicy } from '../../../src/access/policy.ts'
import { type Entry, isInFlight, type PendingEntry } from '../../../src/core/entry.ts'
import type { EntryEvent } from '../../../src/core/entry-event.ts'
import { begun, LOST, transition } from '../../../src/core/transition.ts'

const pending: PendingEntry = {
  status: 'pending',
  refId: `t:${'0'.repeat(32)}`,
  key: 'k',
  toolName: 'tool',
  namespace: 'public',
  policy: AccessPolicy.public,
  startedBy: 'x',
  createdAt: 0,
  version: 1,
  attempt: 0,
  maxRetries: 0,
  idempotent: false,
  retryHistory: [],
  lease: { owner: 'a', duration: 100 },
}

const lease = (owner: string) => ({ owner, duration: 100 })
const error = { code: 'task_failed', message: 'no' } as const
const end = { now: 20, expiresAt: 1020 }
const start: EntryEvent = { type: 'start', owner: 'a', now: 10 }
const complete = (owner: string): EntryEvent => ({ type: 'complete', owner, valueBytes: 7, ...end })
const fail = (owner: string): EntryEvent => ({ type: 'fail', owner, error, ...end })
const postpone = (owner: string): EntryEvent => ({ type: 'postpone', owner, error, now: 20, retryAt: 50 })
const progress = (owner: string): EntryEvent => ({
  type: 'progress',
  owner,
  progress: { current: 1, total: 2 },
  pace: 0.5,
  now: 15,
})
const ask = (owner: string, place: number, message: string): EntryEvent => ({
  type: 'ask',
  owner,
  place,
  request: { method: 'elicitation/create', params: { message, requestedSchema: {} } },
  now: 16,
})
const answer = (...keys: string[]): EntryEvent => ({
  type: 'answer',
  answers: Object.fromEntries(keys.map(key => [key, { action: 'accept', key }])),
  now: 17,
})
const withdraw = (owner: string, key: string): EntryEvent => ({ type: 'withdraw', owner, key, now: 18 })
const keysOf = ({ questions = [] }: Entry) =>
  questions.map(({ key, answer }) => (answer === undefined ? `${key}?` : key))
const cancel: EntryEvent = { type: 'cancel', ...end }
const take = (owner: string, seen: number): EntryEvent => ({
  type: 'take',
  seen,
  lease: lease(owner),
  together: false,
  now: 30,
})
const retry = (owner: string, keepKey = true): EntryEvent => ({
  type: 'retry',
  lease: lease(owner),
  keepKey,
  now: 40,
})

function reached(...events: EntryEvent[]): Entry {
  return events.reduce<Entry>(transitioned, pending)
}

function transitioned(entry: Entry, event: EntryEvent): Entry {
  const moved = transition(entry, event)
  if (!moved.ok) throw new Error(`${event.type} was refused: ${moved.refused}`)
  return moved.entry
}

const refusal = (entry: Entry, event: EntryEvent) => {
  const moved = transition(entry, event)
  return moved.ok ? undefined : moved.refused
}

describe('transition', () => {
  it('takes a task from pending through processing to complete, and keeps its key', () => {
    expect(reached(start)).toMatchObject({ status: 'processing', attempt: 1, startedAt: 10, version: 2 })
    const done = reached(start, progress('a'), complete('a'))
    expect(done).toMatchObject({
      status: 'complete',
      key: 'k',
      completedAt: 20,
      expiresAt: 1020,
      version: 4,
      valueBytes: 7,
    })
    expect(done).not.toHaveProperty('lease')
    expect(done).not.toHaveProperty('pace')
  })

  it.each([
    ['fails', fail('a')],
    ['is cancelled', cancel],
    ['is lost', { type: 'lose', seen: 2, ...end }],
  ] as const)('releases the key of a task that %s, so that the next identical call runs', (_, event) => {
    const ended = reached(start, event)
    expect(ended.key).toBeUndefined()
    expect(ended.releasedKey).toBe('k')
  })

  it('keeps the last progress in the settled entry', () => {
    expect(reached(start, progress('a'), fail('a'))).toMatchObject({ progress: { current: 1, total: 2 } })
  })

  it('settle needs the lease: nobody else can complete, fail, put off, release or report', () => {
    const processing = reached(start)
    const foreign: EntryEvent[] = [
      complete('b'),
      fail('b'),
      postpone('b'),
      progress('b'),
      ask('b', 0, 'a'),
      withdraw('b', 'elicit-1'),
      { type: 'stop-following', owner: 'b' },
      { type: 'release', owner: 'b', now: 18 },
    ]
    for (const event of foreign) expect(refusal(processing, event)).toBe('lease_lost')
  })

  it('a lost task goes to another process only if nobody touched it since that process looked', () => {
    const processing = reached(start, progress('a'))
    expect(refusal(processing, take('b', processing.version - 1))).toBe('lease_held')
    const taken = reached(start, progress('a'), take('b', processing.version))
    expect(taken).toMatchObject({ status: 'pending', lease: { owner: 'b' }, attempt: 1, key: 'k' })
    expect(taken).not.toHaveProperty('progress')
    expect(taken.retryHistory).toMatchObject([{ attempt: 1, error: { code: 'worker_lost' } }])
    for (const event of [complete('a'), start, progress('a')])
      expect(refusal(taken, event)).toBe('lease_lost')
  })

  it('what was taken for lost still counts when it is settled late, unless somebody began it again', () => {
    const lost = reached(start, { type: 'lose', seen: 2, ...end })
    expect(lost).toMatchObject({ status: 'failed', lostOwner: 'a' })
    const late = transitioned(lost, { ...complete('a'), now: 70, expiresAt: 1070 } as EntryEvent)
    expect(late).toMatchObject({ status: 'complete', valueBytes: 7, completedAt: 70, expiresAt: 1070 })
    expect(late.retryHistory).toEqual([])
    for (const gone of ['error', 'lostOwner', 'lease', 'releasedKey']) expect(late).not.toHaveProperty(gone)
    const failed = transitioned(lost, fail('a'))
    expect(failed).toMatchObject({ status: 'failed', error, retryHistory: [{ attempt: 1, error }] })
    expect(failed).not.toHaveProperty('lostOwner')
    expect(transitioned(lost, { ...fail('a'), valueBytes: 9 } as EntryEvent)).toMatchObject({ valueBytes: 9 })
    const again = transitioned(lost, retry('b'))
    expect(again).not.toHaveProperty('lostOwner')
    expect(refusal(again, complete('a'))).toBe('lease_lost')
    expect(refusal(lost, complete('b'))).toBe('already_settled')
    expect(refusal(lost, postpone('a'))).toBe('already_settled')
    expect(refusal(late, complete('a'))).toBe('already_settled')
    expect(refusal(reached({ type: 'lose', seen: 1, ...end }), complete('a'))).toBe('already_settled')
    expect(refusal(reached(start, cancel), complete('a'))).toBe('already_settled')
  })

  it('remembers whether a lost process ran other tasks too, until the task is begun by hand', () => {
    const take2 = { ...take('b', 2), together: true } as EntryEvent
    const twice = reached(start, take2, { ...start, owner: 'b' } as EntryEvent, take('c', 4))
    expect(twice).toMatchObject({ losses: { alone: 1, together: 1 } })
    expect(reached(take('b', 1))).not.toHaveProperty('losses')
    const again = [cancel, retry('d')].reduce<Entry>(transitioned, twice)
    expect(again).not.toHaveProperty('losses')
  })

  it('a failed attempt waits for the next one under its lease and key, and is remembered', () => {
    const waiting = reached(start, progress('a'), postpone('a'))
    expect(waiting).toMatchObject({
      status: 'pending',
      retryAt: 50,
      key: 'k',
      lease: { owner: 'a' },
      retryHistory: [{ attempt: 1, error, at: 20 }],
      retries: 1,
    })
    expect(waiting).not.toHaveProperty('progress')
    const again = reached(start, postpone('a'), start)
    expect(again).toMatchObject({ status: 'processing', attempt: 2 })
    expect(again).not.toHaveProperty('retryAt')
  })

  it('counts retries and knows when the next is due through every takeover, and counts anew when begun by hand', () => {
    const taken = reached(start, postpone('a'), take('b', 3))
    expect(taken).toMatchObject({ status: 'pending', retries: 1, retryAt: 50, lease: { owner: 'b' } })
    const released = transitioned(taken, { type: 'release', owner: 'b', now: 31 })
    expect(released).toMatchObject({ status: 'pending', retries: 1, retryAt: 50 })
    const lost = [{ ...start, owner: 'b' } as const, take('c', 6)].reduce<Entry>(transitioned, released)
    expect(lost).toMatchObject({ status: 'pending', retries: 1 })
    expect(lost).not.toHaveProperty('retryAt')
    expect(reached(start, postpone('a'), cancel, retry('b'))).not.toHaveProperty('retries')
  })

  it('is retried by hand after failing or being cancelled, with or without its key', () => {
    expect(reached(start, fail('a'), retry('b'))).toMatchObject({
      status: 'pending',
      key: 'k',
      lease: { owner: 'b' },
      attempt: 1,
    })
    const keyless = reached(start, cancel, retry('b', false))
    expect(keyless.key).toBeUndefined()
    for (const gone of ['error', 'completedAt', 'expiresAt', 'releasedKey']) {
      expect(reached(start, fail('a'), retry('b'))).not.toHaveProperty(gone)
    }
  })

  it('is not retried while it runs, nor after it has finished', () => {
    expect(refusal(pending, retry('b'))).toBe('not_ended')
    expect(refusal(reached(start), retry('b'))).toBe('not_ended')
    expect(refusal(reached(start, complete('a')), retry('b'))).toBe('already_settled')
  })

  it('asks under the lease, while it runs; is answered by anyone, even between two runs', () => {
    expect(refusal(pending, ask('a', 0, 'a'))).toBe('not_started')
    const waiting = reached(start, ask('a', 0, 'a'), ask('a', 1, 'b'), postpone('a'))
    expect(keysOf(waiting)).toEqual(['elicit-1?', 'elicit-2?'])
    expect(keysOf(transitioned(waiting, answer('elicit-2')))).toEqual(['elicit-1?', 'elicit-2'])
  })

  it('takes no answer that nobody waits for', () => {
    const asked = reached(start, ask('a', 0, 'a'), answer('elicit-1'))
    expect(refusal(asked, answer('elicit-1'))).toBe('not_asked')
    expect(refusal(asked, answer('elicit-2', 'toString'))).toBe('not_asked')
    expect(refusal(reached(start), answer('elicit-1'))).toBe('not_asked')
    expect(refusal(reached(start, ask('a', 0, 'a'), cancel), answer('elicit-1'))).toBe('already_settled')
  })

  it('withdraws what waits for an answer, which then takes none; its place and its key stay', () => {
    const both = [start, ask('a', 0, 'a'), ask('a', 1, 'b')]
    const gone = reached(...both, withdraw('a', 'elicit-1'))
    expect(gone).toMatchObject({ questions: [{ key: 'elicit-1', closed: true }, { key: 'elicit-2' }] })
    expect(refusal(gone, answer('elicit-1'))).toBe('not_asked')
    expect(keysOf(transitioned(gone, answer('elicit-1', 'elicit-2')))).toEqual(['elicit-1?', 'elicit-2'])
    expect(refusal(gone, withdraw('a', 'elicit-1'))).toBe('not_asked')
    expect(refusal(gone, withdraw('a', 'elicit-7'))).toBe('not_asked')
    expect(refusal(reached(...both, answer('elicit-1')), withdraw('a', 'elicit-1'))).toBe('not_asked')
    expect(refusal(reached(...both, postpone('a')), withdraw('a', 'elicit-1'))).toBe('not_started')
  })

  it('asks anew what was withdrawn, and drops what came after it', () => {
    const before = [start, ask('a', 0, 'a'), ask('a', 1, 'b'), withdraw('a', 'elicit-1'), answer('elicit-2')]
    const again = reached(...before, postpone('a'), start, ask('a', 0, 'a'))
    expect(keysOf(again)).toEqual(['elicit-3?'])
    expect(again).not.toHaveProperty('questions.0.closed')
  })

  it('lets the first answer stand, whatever comes with a later one', () => {
    const late = {
      type: 'answer',
      answers: { 'elicit-1': { late: true }, 'elicit-2': { late: true } },
      now: 18,
    } as const
    const both = reached(start, ask('a', 0, 'a'), ask('a', 1, 'b'), answer('elicit-1'), late)
    expect(both).toHaveProperty('questions.0.answer', { action: 'accept', key: 'elicit-1' })
    expect(both).toHaveProperty('questions.1.answer', { late: true })
  })

  it('asks the same question at the same place only once, in whatever order its parameters come', () => {
    const asked = reached(start, ask('a', 0, 'a'))
    expect(refusal(asked, ask('a', 0, 'a'))).toBe('already_asked')
    const params = { requestedSchema: {}, message: 'a' }
    const request = { method: 'elicitation/create', params } as const
    expect(refusal(asked, { type: 'ask', owner: 'a', place: 0, request, now: 16 })).toBe('already_asked')
    const sampled = transitioned(asked, {
      type: 'ask',
      owner: 'a',
      place: 0,
      request: { method: 'sampling/createMessage', params },
      now: 16,
    })
    expect(keysOf(sampled)).toEqual(['sample-2?'])
  })

  it.each([
    ['is released', [{ type: 'release', owner: 'a', now: 18 }, start]],
    ['is put off', [postpone('a'), start]],
    ['is taken over', [take('a', 5), start]],
  ] as const)('keeps questions and answers of a task that %s', (_, events) => {
    const before = reached(start, ask('a', 0, 'a'), ask('a', 1, 'b'), answer('elicit-1'))
    const again = events.reduce<Entry>(transitioned, before)
    expect(keysOf(again)).toEqual(['elicit-1', 'elicit-2?'])
  })

  it('keeps answers for a retry by hand, and no key is used twice', () => {
    const asked = [ask('a', 0, 'a'), ask('a', 1, 'b'), ask('a', 2, 'c')]
    const cancelled = reached(start, ...asked, answer('elicit-1'), cancel)
    expect(keysOf(cancelled)).toEqual(['elicit-1'])
    expect(cancelled).toHaveProperty('questions.0.answer.key', 'elicit-1')
    const again = [retry('a'), start, ask('a', 1, 'b')].reduce<Entry>(transitioned, cancelled)
    expect(keysOf(again)).toEqual(['elicit-1', 'elicit-4?'])
  })

  it('keeps every answer at its place', () => {
    const failed = reached(start, ask('a', 0, 'a'), ask('a', 1, 'b'), answer('elicit-2'), fail('a'))
    expect(keysOf(failed)).toEqual(['elicit-1?', 'elicit-2'])
  })

  it('forgets what it asked once it has its value', () => {
    const done = reached(start, ask('a', 0, 'a'), answer('elicit-1'), complete('a'))
    expect(done).not.toHaveProperty('questions')
    expect(done).not.toHaveProperty('asked')
  })

  it('drops what an earlier run asked from the place on where it asks something else', () => {
    const asked = [ask('a', 0, 'a'), ask('a', 1, 'b'), ask('a', 2, 'c')]
    const answers = answer('elicit-1', 'elicit-2', 'elicit-3')
    const parted = reached(start, ...asked, answers, postpone('a'), start, ask('a', 1, 'other'))
    expect(keysOf(parted)).toEqual(['elicit-1', 'elicit-4?'])
  })

  it('says when something last happened; what is no news is nothing, and time never runs backwards', () => {
    const times: Array<number | undefined> = []
    const events: EntryEvent[] = [
      { type: 'stop-following', owner: 'a' },
      start,
      progress('a'),
      ask('a', 0, 'a'),
      answer('elicit-1'),
      postpone('a'),
      { type: 'stop-following', owner: 'a' },
      start,
      take('b', 9),
      { type: 'release', owner: 'b', now: 35 },
      { type: 'start', owner: 'b', now: 36 },
      { type: 'fail', owner: 'b', error, now: 38, expiresAt: 1038 },
      retry('a'),
      { type: 'cancel', now: 50, expiresAt: 1050 },
    ]
    events.reduce<Entry>((entry, event) => {
      const moved = transitioned(entry, event)
      times.push(moved.updatedAt)
      return moved
    }, pending)
    expect(times).toEqual([undefined, 10, 15, 16, 17, 20, 20, 20, 30, 35, 36, 38, 40, 50])
  })

  it('cancels a task that has not started, or waits for its next attempt', () => {
    expect(reached(cancel)).toMatchObject({ status: 'cancelled' })
    expect(reached(start, postpone('a'), cancel)).toMatchObject({ status: 'cancelled' })
  })

  it('remembers no more than the last twenty failures', () => {
    const events = Array.from({ length: 25 }, () => [start, fail('a'), retry('a')]).flat()
    const { retryHistory } = reached(...events)
    expect(retryHistory).toHaveLength(20)
    expect(retryHistory.at(-1)).toMatchObject({ attempt: 25 })
  })

  it('holds its invariants under any sequence of events', () => {
    const owner = fc.constantFrom('a', 'b')
    const seen = fc.integer({ min: 1, max: 12 })
    const event = fc.oneof(
      owner.map(o => ({ type: 'start' as const, owner: o, now: 10 })),
      owner.map(o => ({ type: 'stop-following' as const, owner: o })),
      owner.map(o => ({ type: 'release' as const, owner: o, now: 18 })),
      owner.map(progress),
      owner.map(complete),
      owner.map(fail),
      owner.map(postpone),
      owner.map(o => retry(o)),
      fc.constant(cancel),
      fc
        .tuple(owner, fc.nat({ max: 3 }), fc.constantFrom('x', 'y'))
        .map(([o, place, message]) => ask(o, place, message)),
      fc.nat({ max: 6 }).map(n => answer(`elicit-${n}`)),
      fc.tuple(owner, fc.nat({ max: 6 })).map(([o, n]) => withdraw(o, `elicit-${n}`)),
      seen.map(version => ({ type: 'lose' as const, seen: version, ...end })),
      fc
        .tuple(owner, seen, fc.boolean())
        .map(([o, version, together]) => ({ ...take(o, version), together }) as EntryEvent),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), events => {
        let entry: Entry = pending
        const contents = new Map<string, string>()
        for (const next of events) {
          const moved = transition(entry, next)
          if (entry.status === 'complete') expect(moved.ok).toBe(false)
          const late = entry.status === 'failed' && 'owner' in next && entry.lostOwner === next.owner
          if (!isInFlight(entry) && next.type !== 'retry' && !late) expect(moved.ok).toBe(false)
          if (late && moved.ok) expect(['complete', 'failed']).toContain(moved.entry.status)
          if (!moved.ok) continue
          expect(moved.entry.version).toBe(entry.version + 1)
          expect(moved.entry.updatedAt ?? 0).toBeGreaterThanOrEqual(entry.updatedAt ?? 0)
          expect('lease' in moved.entry).toBe(isInFlight(moved.entry))
          expect('expiresAt' in moved.entry).toBe(!isInFlight(moved.entry))
          expect('error' in moved.entry).toBe(moved.entry.status === 'failed')
          expect(moved.entry.attempt - entry.attempt).toBe(next.type === 'start' ? 1 : 0)
          expect('retries' in moved.entry && !isInFlight(moved.entry)).toBe(false)
          const more = (moved.entry.retries ?? 0) - (entry.retries ?? 0)
          if (isInFlight(entry) && isInFlight(moved.entry))
            expect(more).toBe(next.type === 'postpone' ? 1 : 0)
          if (moved.entry.status === 'failed' || moved.entry.status === 'cancelled') {
            expect(moved.entry.key).toBeUndefined()
          }
          for (const { key, params, answer, closed } of moved.entry.questions ?? []) {
            expect(answer === undefined || !closed).toBe(true)
            expect(contents.get(key) ?? params.message).toBe(params.message)
            contents.set(key, params.message as string)
          }
          if (next.type === 'ask') expect(moved.entry.asked).toBe((entry.asked ?? 0) + 1)
          // Whoever changes it without the lease can only end it, answer, begin it again, or take it at the version it saw.
          if ('owner' in next && isInFlight(entry)) expect(entry.lease.owner).toBe(next.owner)
          if ('seen' in next) expect(entry.version).toBe(next.seen)
          const lossesOf = ({ losses }: Entry) => (losses ? losses.alone + losses.together : 0)
          const lost = next.type === 'take' && entry.status === 'processing' ? 1 : 0
          if (isInFlight(moved.entry) && isInFlight(entry)) {
            expect(lossesOf(moved.entry) - lossesOf(entry)).toBe(lost)
          }
          entry = moved.entry
        }
      }),
      { numRuns: 500 },
    )
  })
})

it('an entry yields its key whatever its status, and stays as it is otherwise', () => {
  for (const entry of [pending, reached(start), reached(start, complete('a'))]) {
    const { key: _, ...rest } = entry
    expect(transitioned(entry, { type: 'yield-key' })).toEqual({ ...rest, version: entry.version + 1 })
  }
})

describe('what a task turned out to be made of', () => {
  const derivedFrom = [{ namespace: 'user:a', policy: AccessPolicy.executeOnly, needs: 2 }] as const
  const derive = (owner: string): EntryEvent => ({ type: 'derive', owner, derivedFrom })

  it('is written by whoever holds the lease', () => {
    expect(transition(pending, derive('a'))).toMatchObject({ ok: true, entry: { derivedFrom, version: 2 } })
  })

  it('is refused to who has lost it, before the task begins and after', () => {
    const running = transition(pending, start)
    if (!running.ok) throw new Error(running.refused)
    for (const entry of [pending, running.entry]) {
      expect(transition(entry, derive('b'))).toEqual({ ok: false, refused: 'lease_lost' })
    }
  })
})

describe('a task of MCP', () => {
  const native: EntryEvent = { type: 'become-native' }
  const elsewhere = (retriedAs: string, instead?: string): EntryEvent => ({
    ...{ type: 'retry-elsewhere', retriedAs, instead },
  })

  it('never moves again once it has ended', () => {
    const failed = reached(start, native, fail('a'))
    expect(failed).toMatchObject({ status: 'failed', native: true })
    expect(refusal(failed, retry('b'))).toBe('final')
  })

  it('is tried again by another entry, once more after that one, and never by two', () => {
    const failed = reached(start, native, fail('a'))
    const retried = transitioned(failed, elsewhere('t:1'))
    expect(retried).toMatchObject({ status: 'failed', retriedAs: 't:1' })
    expect(refusal(retried, elsewhere('t:2'))).toBe('already_retried')
    expect(refusal(retried, elsewhere('t:3', 't:2'))).toBe('already_retried')
    expect(transitioned(retried, elsewhere('t:2', 't:1'))).toMatchObject({ retriedAs: 't:2' })
    expect(refusal(reached(start), elsewhere('t:1'))).toBe('not_ended')
    expect(refusal(reached(start, complete('a')), elsewhere('t:1'))).toBe('already_settled')
  })

  it('may become one at any time, also when it has ended', () => {
    expect(reached(start, complete('a'), native)).toMatchObject({
      status: 'complete',
      native: true,
      version: 4,
    })
  })
})

describe('a key', () => {
  it('is given up for a call that is to run anew, whatever the entry is at', () => {
    const yielded: EntryEvent = { type: 'yield-key' }
    for (const entry of [reached(), reached(start), reached(start, complete('a'))]) {
      const without = transitioned(entry, yielded)
      expect([without.key, without.status]).toEqual([undefined, entry.status])
    }
    expect(reached(start, yielded, fail('a'))).not.toHaveProperty('releasedKey')
  })
})

describe('the steps of one run', () => {
  it('learn what guards the result, under the lease', () => {
    const derive = (owner: string): EntryEvent => ({ type: 'derive', owner, derivedFrom: [] })
    expect(reached(start, derive('a'))).toMatchObject({ status: 'processing', derivedFrom: [] })
    expect(refusal(reached(start), derive('b'))).toBe('lease_lost')
  })

  it('stop following another task, which gave no outcome', () => {
    const following = { ...reached(start), follows: 't:1' } as Entry
    const stop = (owner: string): EntryEvent => ({ type: 'stop-following', owner })
    expect(transitioned(following, stop('a'))).not.toHaveProperty('follows')
    expect(refusal(following, stop('b'))).toBe('lease_lost')
  })

  it('begin once', () => {
    expect(refusal(reached(start), start)).toBe('already_started')
    expect(reached(start)).not.toHaveProperty('updatedAt', undefined)
  })

  it.each([
    ['progress', progress('a')],
    ['complete', complete('a')],
    ['postpone', postpone('a')],
    ['withdraw', withdraw('a', 'elicit-1')],
  ])('%s needs a start', (_, event) => expect(refusal(pending, event)).toBe('not_started'))

  it('fail also before the start: the input may be gone', () => {
    expect(reached(fail('a'))).toMatchObject({ status: 'failed', error })
  })

  it('count a lost worker as a loss, not as a retry', () => {
    const lost = reached(start, { ...postpone('a'), lost: true } as EntryEvent)
    expect(lost).toMatchObject({ status: 'pending', losses: { alone: 1, together: 0 } })
    expect(lost).not.toHaveProperty('retries')
  })

  it('end with the last report, and with the size of what they ended with', () => {
    const last = { ...fail('a'), progress: { current: 2 }, valueBytes: 5 } as EntryEvent
    expect(reached(start, progress('a'), last)).toMatchObject({ progress: { current: 2 }, valueBytes: 5 })
    expect(reached(start, fail('a'))).not.toHaveProperty('valueBytes')
    expect(reached(start, { ...complete('a'), madeAt: 3 } as EntryEvent)).toMatchObject({ madeAt: 3 })
    const late = { ...complete('a'), progress: { current: 9 } } as EntryEvent
    expect(reached(start, { type: 'lose', seen: 2, ...end }, late)).toMatchObject({
      progress: { current: 9 },
    })
  })

  it('keep the data of a protocol error with the failure, and only its code in the history', () => {
    const rpc = { code: -32602, data: { large: true } }
    const failed = reached(start, {
      ...fail('a'),
      error: { code: 'protocol_error', message: 'no', rpc },
    } as EntryEvent)
    expect(failed).toMatchObject({ error: { rpc } })
    expect(failed.retryHistory[0]?.error).toEqual({
      code: 'protocol_error',
      message: 'no',
      rpc: { code: -32602 },
    })
  })

  it('that were lost say so, and may be settled late only once they had begun', () => {
    const lose = (seen: number): EntryEvent => ({ type: 'lose', seen, ...end })
    expect(reached(start, lose(2))).toMatchObject({ error: LOST, lostOwner: 'a' })
    expect(LOST).toMatchObject({
      code: 'worker_lost',
      message: expect.stringMatching(/process.*was lost before it finished/),
    })
    expect(reached(lose(1))).not.toHaveProperty('lostOwner')
    expect(refusal(pending, lose(2))).toBe('lease_held')
  })

  it('wait for no answers that came to nothing: without any, a failed task keeps no questions', () => {
    expect(reached(start, ask('a', 0, 'a'), fail('a')).questions).toBeUndefined()
    expect(reached(start, fail('a')).questions).toBeUndefined()
  })

  it('let go with a lease that nobody has to wait for', () => {
    expect(reached({ type: 'release', owner: 'a', now: 18 })).toMatchObject({
      lease: { owner: 'a', duration: 0 },
    })
  })

  it('may begin with the claim', () => {
    expect(begun(pending, 5)).toMatchObject({ status: 'processing', attempt: 1, startedAt: 5, version: 1 })
  })
})
