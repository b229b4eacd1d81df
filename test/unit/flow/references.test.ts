import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { actor } from '../../../src/access/actor.ts'
import { Permission } from '../../../src/access/permission.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import {
  CircularReference,
  InvalidArgument,
  NotFound,
  ProtocolFailure,
  TaskFailed,
} from '../../../src/core/errors.ts'
import type { TaskContext } from '../../../src/core/handler.ts'
import type { JsonValue } from '../../../src/core/json.ts'
import type { AsyncTaskResponse } from '../../../src/core/response.ts'
import type { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { deferred, scene } from './scene.ts'

const caches: RefCache[] = []
function open(options?: Parameters<typeof scene>[0]) {
  const made = scene(options)
  caches.push(made.cache)
  return made
}
afterEach(async () => {
  await Promise.all(caches.splice(0).map(cache => cache.close()))
})

const echo = (cache: RefCache, options: object = {}) =>
  cache.cached({ name: 'echo', replace: true, ...options }, (args: JsonValue) => args)

const user = actor.user({ id: 'alice' })
const agent = actor.agent({ id: 'claude-1' })

describe('a reference in the input of a tool', () => {
  it('is replaced by its value, deep in objects and lists', async () => {
    const { cache } = open()
    const { refId } = await cache.set('rows', [1, 2])
    const answer = await echo(cache)({ a: { b: [refId, { c: refId }] }, d: 'text' })
    expect(answer).toMatchObject({ value: { a: { b: [[1, 2], { c: [1, 2] }] }, d: 'text' } })
  })

  it('may stand where the schema wants a number or a list: the schema sees the value', async () => {
    const { cache } = open()
    const five = await cache.set('five', 5)
    const list = await cache.set('list', [1, 2])
    const input = z.object({ n: z.number().max(9), list: z.array(z.number()), plus: z.number().default(1) })
    const sum = cache.cached({ name: 'sum', input }, ({ n, list, plus }) =>
      list.reduce((a, b) => a + b, n + plus),
    )
    expect(await sum({ n: five.refId, list: list.refId } as never)).toMatchObject({ value: 9 })
    const ten = await cache.set('ten', 10)
    await expect(sum({ n: ten.refId, list: [] } as never)).rejects.toThrow(/n: /)
  })

  it('of another cache on the same store is refused, and says whose it is', async () => {
    const store = memoryStore()
    const { cache } = open({ store })
    const { cache: files } = open({ store, name: 'files' })
    const { refId } = await files.set('doc', 'text')
    const refused = await echo(cache)({ deep: [{ refId }] }).catch((e: unknown) => e)
    expect(refused).toBeInstanceOf(InvalidArgument)
    expect(String(refused)).toMatch(/of 'files', and this is 't'/)
    expect(await echo(cache, { name: 'plain', resolveRefs: false })({ refId })).toMatchObject({
      value: { refId },
    })
  })

  it('of another cache stays a text where the caller may not know of it: it is no oracle', async () => {
    const store = memoryStore()
    const { cache, clock } = open({ store })
    const { cache: files } = open({ store, name: 'files' })
    const hidden = await files.set('doc', 'text', { namespace: 'user:bob' })
    const expired = await files.set('old', 'text', { ttl: '1s' })
    await clock.advance(1_000)
    const texts = [hidden.refId, expired.refId, `files:${'0'.repeat(32)}`]
    expect(await echo(cache)({ texts }, { actor: agent })).toMatchObject({ value: { texts } })
  })

  it('of another cache, or not in the full form, stays a text where it names nothing', async () => {
    const { cache } = open()
    const other = `md5:${'0'.repeat(32)}`
    const texts = [other, `t:${'0'.repeat(31)}`, `t:${'G'.repeat(32)}`, `see t:${'0'.repeat(32)}`]
    expect(await echo(cache)({ texts })).toMatchObject({ value: { texts } })
  })

  it('fails alike whether it is unknown, expired or forbidden', async () => {
    const { cache, clock } = open()
    const expired = await cache.set('e', 1, { ttl: '1s' })
    const hidden = await cache.set('h', 1, { policy: AccessPolicy.userOnly })
    const foreign = await cache.set('f', 1, { namespace: 'user:bob' })
    const unused = await cache.set('r', 1, { policy: { agent: Permission.DELETE } })
    await clock.advance(1_000)
    const unknown = `t:${'0'.repeat(32)}`
    for (const refId of [unknown, expired.refId, hidden.refId, foreign.refId, unused.refId]) {
      const error = await echo(cache)({ deep: [[refId]] }, { actor: agent }).catch((e: unknown) => e)
      expect(error).toEqual(new NotFound())
    }
  })

  it('stays a text where the tool opts out, or names other arguments', async () => {
    const { cache } = open()
    const { refId } = await cache.set('v', 1)
    const input = { a: refId, b: [refId] }
    expect(await echo(cache, { resolveRefs: false })(input)).toMatchObject({ value: input })
    expect(await echo(cache, { name: 'named', resolveRefs: ['b'] })(input)).toMatchObject({
      value: { a: refId, b: [1] },
    })
  })

  it('keeps a member called __proto__ a member', async () => {
    const { cache } = open()
    const { refId } = await cache.set('v', JSON.parse('{"__proto__":{"polluted":1}}'))
    const keys = cache.cached({ name: 'keys' }, (args: { v: object; w: object }) => [
      Object.keys(args.v),
      Object.keys(args.w),
      'polluted' in args.v,
    ])
    const w = JSON.parse(`{"__proto__":"${refId}"}`)
    expect(await keys({ v: refId as never, w })).toMatchObject({
      value: [['__proto__'], ['__proto__'], false],
    })
  })

  it('to a task that still runs is waited for, without a place in the queue', async () => {
    const { cache, clock } = open({ maxConcurrentTasks: 1 })
    const work = deferred<number>()
    const slow = cache.cached({ name: 'slow', asyncTimeout: 0 }, () => work.promise)
    const { refId } = await slow({})
    const double = cache.cached({ name: 'double', asyncTimeout: 0 }, (args: { n: number }) => args.n * 2)
    const handle = await double({ n: refId as never })
    await clock.advance(100)
    expect(await cache.get(handle.refId)).toMatchObject({ status: 'pending' })
    work.resolve(21)
    await clock.advance(5_000)
    expect(await cache.get(handle.refId)).toMatchObject({ value: 42 })
  })

  it('to a failed task fails the call', async () => {
    const { cache } = open()
    const broken = cache.cached({ name: 'broken', asyncTimeout: 0 }, () => {
      throw new Error('no luck')
    })
    const { refId } = await broken({})
    await expect(echo(cache)({ refId })).rejects.toThrow(TaskFailed)
  })

  it('is part of the key: other references, other results', async () => {
    const { cache } = open()
    const one = await cache.set('v', 1)
    const two = await cache.set('v', 2)
    let runs = 0
    const count = cache.cached({ name: 'count' }, (args: { v: number }) => [args.v, ++runs])
    expect(await count({ v: one.refId as never })).toMatchObject({ value: [1, 1] })
    expect(await count({ v: two.refId as never })).toMatchObject({ value: [2, 2] })
    expect(await count({ v: one.refId as never })).toMatchObject({ value: [1, 1] })
  })
})

describe('what an argument wants of a reference', () => {
  const input = z.object({
    body: z.object({ a: z.number() }).optional(),
    rows: z.array(z.number()).optional(),
    count: z.int().optional(),
    text: z.string().optional(),
    nested: z.object({ either: z.union([z.string(), z.array(z.unknown())]) }).optional(),
    when: z.date().optional(),
  })
  const typed = (cache: RefCache) => cache.cached({ name: 'typed', replace: true, input }, args => args)
  const call = async (cache: RefCache, args: object) =>
    (await typed(cache)(args as never)) as { value?: unknown }

  it('is JSON for a JSON argument, also where the value is a text', async () => {
    const { cache } = open()
    const body = await cache.set('body', '{\n  "a": 1\n}')
    const rows = await cache.set('rows', '[1, 2]')
    const count = await cache.set('count', ' 7\n')
    expect(await call(cache, { body: body.refId, rows: rows.refId, count: count.refId })).toMatchObject({
      value: { body: { a: 1 }, rows: [1, 2], count: 7 },
    })
  })

  it('has numbers to compute with, however the text writes them', async () => {
    const { cache } = open()
    const body = await cache.set('body', '{"a": 1.50}')
    const count = await cache.set('count', '7.0')
    const handed = await call(cache, { body: body.refId, count: count.refId })
    expect(handed.value).toEqual({ body: { a: 1.5 }, count: 7 })
  })

  it('is a text for a text argument: byte for byte, or compact JSON of anything else', async () => {
    const { cache } = open()
    const text = await cache.set('text', '{ "a": 1 }')
    const rows = await cache.set('rows', [1, 2])
    expect(await call(cache, { text: text.refId })).toMatchObject({ value: { text: '{ "a": 1 }' } })
    expect(await call(cache, { text: rows.refId })).toMatchObject({ value: { text: '[1,2]' } })
    expect(await call(cache, { nested: { either: rows.refId } })).toMatchObject({
      value: { nested: { either: [1, 2] } },
    })
  })

  it('is refused before the tool is called where the value has no such form', async () => {
    const { cache } = open()
    const prose = await cache.set('prose', 'no JSON')
    const error = await call(cache, { body: prose.refId }).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'invalid_argument' })
    expect(String(error)).toMatch(
      /The argument body takes a value of type object; the value of its reference is a text/,
    )
  })

  it('stands in a JSON Schema of the tool, too', async () => {
    const { cache } = open()
    const schema = { properties: { rows: { $ref: '#/$defs/rows' } }, $defs: { rows: { type: 'array' } } }
    const rows = await cache.set('rows', '[1, 2]')
    const tool = echo(cache, { inputJsonSchema: schema })
    expect(await tool({ rows: rows.refId, other: rows.refId })).toMatchObject({
      value: { rows: [1, 2], other: '[1, 2]' },
    })
  })

  it('is not asked where the reference lies deeper than any schema tells', async () => {
    const { cache } = open()
    const { refId } = await cache.set('text', '[1]')
    const input = z.object({ list: z.array(z.unknown()) })
    const nested = cache.cached({ name: 'nested', input }, ({ list }) =>
      JSON.stringify(list).includes('"[1]"'),
    )
    let list: JsonValue = [refId]
    for (let level = 0; level < 400; level++) list = [refId, list]
    expect(await nested({ list: list as unknown[] })).toMatchObject({ value: true })
  })

  it('tells nothing of a value that may only be used', async () => {
    const { cache } = open()
    const secret = await cache.set('secret', 'prose', { policy: AccessPolicy.executeOnly })
    const error = await typed(cache)({ body: secret.refId } as never, { actor: agent }).catch(
      (e: unknown) => e,
    )
    expect(String(error)).toMatch(/is private/)
    expect(String(error)).not.toMatch(/a text/)
  })
})

describe('references within values', () => {
  it('stay texts: only what the caller wrote stands for something else', async () => {
    const { cache } = open()
    const inner = await cache.set('inner', 1)
    const outer = await cache.set('outer', { inner: inner.refId })
    expect(await echo(cache)({ outer: outer.refId })).toMatchObject({
      value: { outer: { inner: inner.refId } },
    })
  })

  it('are replaced too for a tool that wants that', async () => {
    const { cache } = open()
    const inner = await cache.set('inner', 1)
    const outer = await cache.set('outer', { inner: inner.refId })
    const tool = echo(cache, { resolveRefs: 'deep' })
    expect(await tool({ outer: outer.refId })).toMatchObject({ value: { outer: { inner: 1 } } })
  })

  it('are refused where they go in a circle', async () => {
    const { cache } = open()
    const self = cache.cached({ name: 'self', asyncTimeout: 0 }, (_: object, task) => ({ me: task.refId }))
    const { refId } = await self({})
    await cache.get(refId, { wait: '1s' })
    const error = await echo(cache, { resolveRefs: 'deep' })({ refId }).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(CircularReference)
  })

  it('cannot blow up', async () => {
    const { cache } = open({ maxInputBytes: 10_000 })
    let ref = (await cache.set('v', 'x'.repeat(100))).refId
    for (let level = 0; level < 5; level++) ref = (await cache.set('v', Array(10).fill(ref))).refId
    const tool = echo(cache, { resolveRefs: 'deep' })
    await expect(tool({ ref })).rejects.toThrow(/more than 10000 characters/)
    let chain = (await cache.set('v', 1)).refId
    for (let level = 0; level < 20; level++) chain = (await cache.set('v', [chain])).refId
    await expect(tool({ chain })).rejects.toThrow(InvalidArgument)
  })

  it('lead to a result that is only for those who have rights to all of it', async () => {
    const { cache } = open()
    const secret = await cache.set('secret', 'marker', { namespace: 'user:alice' })
    const bait = await cache.set('bait', { x: secret.refId })
    const tool = echo(cache, { namespace: 'public', resolveRefs: 'deep' })
    const alices = await tool({ bait: bait.refId }, { actor: user })
    expect(alices).toMatchObject({ value: { bait: { x: 'marker' } } })
    const bob = actor.user({ id: 'bob' })
    expect(await tool({ bait: bait.refId }, { actor: bob }).catch((e: unknown) => e)).toEqual(new NotFound())
    expect(await cache.exists(alices.refId, { actor: bob })).toBe(false)
  })
})

describe('a run that is repeated', () => {
  it('adds no guard twice', async () => {
    const store = memoryStore()
    const { cache, clock } = open({ store })
    const secret = await cache.set('secret', 1, { policy: AccessPolicy.executeOnly })
    const bait = await cache.set('bait', [secret.refId], {
      policy: { agent: Permission.EXECUTE, denied: ['user:x'] },
    })
    const seen: number[] = []
    const flaky = cache.cached(
      { name: 'flaky', asyncTimeout: 0, maxRetries: 3, retryDelay: '1s', resolveRefs: 'deep' },
      async (_: { bait: unknown }, task) => {
        seen.push((await store.get(task.refId))?.derivedFrom?.length ?? 0)
        throw new Error('again')
      },
    )
    const { refId } = await flaky({ bait: bait.refId }, { actor: agent })
    await clock.advance(60_000)
    expect(seen).toEqual([2, 2, 2, 2])
    expect(await cache.get(refId, { actor: agent })).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/is private/),
    })
  })
})

describe('what was computed from a value by EXECUTE alone', () => {
  async function table(options?: Parameters<typeof scene>[0]) {
    const made = open(options)
    const salaries = await made.cache.set('salaries', [100, 200, 60_000], {
      policy: AccessPolicy.executeOnly,
    })
    return { ...made, salaries: salaries.refId as never as number[] }
  }

  it('is not seen by whoever may not see the value, however small, and is seen by whoever may', async () => {
    const { cache, salaries } = await table()
    const max = cache.cached({ name: 'max' }, (args: { rows: number[] }) => Math.max(...args.rows))
    const answer = await max({ rows: salaries }, { actor: agent })
    expect(answer).toMatchObject({ status: 'complete', isComplete: false })
    expect(JSON.stringify(answer)).not.toMatch(/\b60000\b/)
    await expect(cache.get(answer.refId, { actor: agent })).rejects.toThrow(/private/)
    await expect(cache.get(answer.refId, { actor: agent, page: 1 })).rejects.toThrow(/private/)
    await expect(cache.get(answer.refId, { actor: agent, full: true })).rejects.toThrow(/private/)
    await expect(cache.resolve(answer.refId, { actor: agent })).rejects.toThrow(/private/)
    expect(await cache.get(answer.refId, { actor: user })).toMatchObject({ value: 60_000 })
    expect(await cache.explain(answer.refId, agent, Permission.READ)).toEqual({
      verdict: 'denied',
      rule: 'derived',
    })
    // The same call by somebody who sees the table is another entry, which is guarded by nothing more.
    expect(await max({ rows: salaries }, { actor: user })).toMatchObject({ value: 60_000 })
  })

  it('taints what is computed from that in turn', async () => {
    const { cache, salaries } = await table()
    const tool = echo(cache)
    const first = await tool({ salaries }, { actor: agent })
    const second = await tool({ first: first.refId }, { actor: agent })
    expect(JSON.stringify(second)).not.toMatch(/\b60000\b/)
    expect(await cache.get(second.refId, { actor: user })).toMatchObject({ isComplete: true })
  })

  it('is seen where the tool declares that it gives nothing away', async () => {
    const { cache, salaries } = await table()
    const count = cache.cached(
      { name: 'count', declassifies: true },
      (args: { rows: number[] }) => args.rows.length,
    )
    expect(await count({ rows: salaries }, { actor: agent })).toMatchObject({ value: 3 })
  })

  it('does not speak through errors, progress or schemas either', async () => {
    const { cache, clock, salaries } = await table()
    const heard: unknown[] = []
    const tool = cache.cached(
      { name: 'leaky', asyncTimeout: '1s', outputSchema: { const: 60_000 } },
      async (args: { rows: number[] }, task) => {
        task.progress({ current: 1, total: 2, message: `saw ${args.rows[2]}` })
        await new Promise<void>(resolve => clock.schedule(5_000, resolve))
        throw new Error(`cannot use ${args.rows[2]}`)
      },
    )
    const call = tool(
      { rows: salaries },
      { actor: agent, responseFormat: 'full', onProgress: progress => heard.push(progress) },
    )
    await clock.advance(1_100)
    const handle = await call
    const running = await cache.get(handle.refId, { actor: agent, responseFormat: 'full' })
    await clock.advance(10_000)
    const failed = await cache.get(handle.refId, { actor: agent, responseFormat: 'full' })
    expect(failed).toMatchObject({ status: 'failed', error: expect.stringMatching(/is private/) })
    expect(JSON.stringify([handle, running, failed, heard])).not.toMatch(/\b60000\b/)
    expect(JSON.stringify(running)).toContain('"total":2')
    expect(await cache.get(handle.refId, { actor: user })).toMatchObject({ error: 'cannot use 60000' })
  })

  it('does not speak through the error of a caller that waits', async () => {
    const { cache, salaries } = await table()
    const input = z.object({ rows: z.array(z.number().max(100, { error: issue => `bad: ${issue.input}` })) })
    const strict = cache.cached({ name: 'strict', input }, () => 1)
    const error = await strict({ rows: salaries }, { actor: agent }).catch((e: Error) => e)
    expect(error).toBeInstanceOf(TaskFailed)
    expect(
      `${(error as Error).message} ${(error as Error).stack} ${String((error as Error).cause)}`,
    ).not.toMatch(/200|60000/)
  })

  it('needs no rights of the one who retries, and keeps its guard', async () => {
    const { cache, salaries } = await table()
    let runs = 0
    const flaky = cache.cached({ name: 'flaky', asyncTimeout: 0 }, (args: { rows: number[] }) => {
      if (runs++ === 0) throw new Error('first')
      return args.rows
    })
    const { refId } = await flaky({ rows: salaries }, { actor: agent })
    await cache.get(refId, { wait: '1s', actor: user })
    await cache.retryTask(refId, { actor: user })
    expect(await cache.get(refId, { wait: '1s', actor: user })).toMatchObject({ value: [100, 200, 60_000] })
    await expect(cache.get(refId, { actor: agent })).rejects.toThrow(/private/)
  })
})

describe('how a call with a private value failed', () => {
  const untilAborted = ({ signal }: TaskContext) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
    })
  const reasons: Record<string, { options?: object; work?: (task: TaskContext) => unknown }> = {
    'its handler threw': {
      work: () => {
        throw new Error('no luck')
      },
    },
    'its handler threw an error with a code': {
      work: () => {
        throw new InvalidArgument('no such row')
      },
    },
    'its handler threw an error of the protocol': {
      work: () => {
        throw new ProtocolFailure('no such row', { code: -32602 })
      },
    },
    'its schema did not want the value': { options: { input: z.object({ rows: z.number() }) } },
    'its result is too large': { work: () => 'x'.repeat(10_000) },
    'its result is no JSON': { work: () => 1n },
    'it ran too long': { options: { hardTimeout: '1s' }, work: untilAborted },
  }

  it('is told alike whatever the reason, to whoever may not see the value', async () => {
    const { cache, clock } = open({ maxValueBytes: 5_000 })
    const { refId } = await cache.set('rows', [1], { policy: AccessPolicy.executeOnly })
    const told: Record<string, unknown[]> = {}
    for (const [reason, { options, work = () => 1 }] of Object.entries(reasons)) {
      const settings = {
        name: 'tool',
        replace: true,
        asyncTimeout: 0,
        memoize: false,
        maxRetries: 2,
        ...options,
      }
      const tool = cache.cached(settings as { name: string }, (_, task) => work(task))
      const handle = await tool({ rows: refId } as never, { actor: agent })
      const waiting = tool({ rows: refId } as never, { actor: agent, asyncTimeout: '1h' }).catch(e => e)
      await clock.advance('1m')
      const {
        refId: _,
        startedAt: __,
        ...polled
      } = (await cache.get(handle.refId, {
        actor: agent,
        responseFormat: 'full',
      })) as AsyncTaskResponse
      const error = (await waiting) as TaskFailed
      const resolved = await cache.resolve(handle.refId, { actor: agent }).catch(e => e)
      told[reason] = [polled, error.name, error.code, error.message, resolved.code, resolved.message]
      const heard = await cache.get(handle.refId, { actor: user })
      expect(heard, reason).toMatchObject({ status: 'failed', retryCount: expect.any(Number) })
    }
    const [first, ...others] = Object.values(told)
    for (const other of others) expect(other).toEqual(first)
    expect(first?.[0]).toMatchObject({ errorCode: 'task_failed', canRetry: true })
    expect(first?.[0]).not.toHaveProperty('retryCount')
  })
})

describe('a tool whose results are not for the caller', () => {
  it('is not run at all', async () => {
    const { cache } = open()
    let runs = 0
    const tool = cache.cached({ name: 'private', policy: { denied: ['agent:claude-*'] } }, () => ++runs)
    await expect(tool({}, { actor: agent })).rejects.toThrow(/not for you/)
    expect(runs).toBe(0)
    expect(await tool({}, { actor: actor.agent({ id: 'other' }) })).toMatchObject({ value: 1 })
  })
})
