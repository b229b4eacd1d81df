/**
 * What the public types promise. Nothing here runs: `npm run types` compiles it, and a promise that is broken is a
 * compile error, an `@ts-expect-error` that finds none included.
 */
import { inputRequired, McpServer, type ServerContext } from '@modelcontextprotocol/server'
import { expectTypeOf } from 'vitest'
import { z } from 'zod'
import {
  type AccessPolicy,
  type Actor,
  type AsyncTaskResponse,
  actor,
  type CachedTool,
  type CacheReference,
  type CacheResponse,
  type CallResponse,
  type Duration,
  type EntryInfo,
  type ErrorCode,
  type FailedResponse,
  type InputRequest,
  type InvalidArgument,
  type JsonObject,
  type JsonValue,
  type NotFound,
  Permission,
  RefCache,
  RefCacheError,
  type TaskFailed,
  type TaskInfo,
} from '../../src/index.ts'
import { attachRefCache } from '../../src/mcp/index.ts'

const cache = new RefCache()

export async function theStatusTellsWhichAnswerItIs(): Promise<void> {
  const answer = await cache.get('cache:0')
  expectTypeOf(answer).toEqualTypeOf<CallResponse>()
  expectTypeOf(answer.status).toEqualTypeOf<'pending' | 'processing' | 'complete' | 'failed' | 'cancelled'>()
  expectTypeOf(answer.refId).toEqualTypeOf<string>()

  if (answer.status === 'complete') {
    expectTypeOf(answer).toEqualTypeOf<CacheResponse>()
    expectTypeOf(answer.value).toEqualTypeOf<JsonValue | undefined>()
    expectTypeOf(answer.isAsync).toEqualTypeOf<false>()
    // @ts-expect-error a finished value has no error
    answer.error
  } else {
    expectTypeOf(answer).toEqualTypeOf<AsyncTaskResponse>()
    expectTypeOf(answer.etaSeconds).toEqualTypeOf<number | undefined>()
    expectTypeOf(answer.isComplete).toEqualTypeOf<false>()
    // @ts-expect-error a task in flight has no value
    answer.value
  }
}

export async function answersAreReadOnly(): Promise<void> {
  const answer = await cache.get('cache:0')
  // @ts-expect-error
  answer.refId = 'cache:1'
}

export function cachedTakesItsInputFromTheHandler(): void {
  const analyze = cache.cached({ name: 'analyze' }, async (args: { id: string }) => args.id.length)
  expectTypeOf(analyze).toEqualTypeOf<CachedTool<{ id: string }, number>>()
  void analyze({ id: 'a' })
  // @ts-expect-error the id is a string
  void analyze({ id: 1 })
  // @ts-expect-error the id is needed
  void analyze({})
}

export function cachedTakesItsInputFromTheSchema(): void {
  const input = z.object({ id: z.string(), depth: z.number().optional() })
  const analyze = cache.cached({ name: 'analyze', input }, async (args, task) => {
    expectTypeOf(args).toEqualTypeOf<{ id: string; depth?: number | undefined }>()
    expectTypeOf(task.signal).toEqualTypeOf<AbortSignal>()
    expectTypeOf(task.attempt).toEqualTypeOf<number>()
    task.progress(1)
    task.progress(1, 10, 'page 1 of 10')
    task.progress({ message: 'indexing' })
    // @ts-expect-error progress is numbers or a report
    task.progress('indexing')
    return args.id
  })
  void analyze({ id: 'a', depth: 2 })
  // @ts-expect-error the depth is a number
  void analyze({ id: 'a', depth: 'deep' })
}

export function aHandlerMayAsk(): void {
  cache.cached({ name: 'ask' }, async (_: object, task) => {
    const requestedSchema = { type: 'object', properties: { sure: { type: 'boolean' } }, required: ['sure'] }
    const { action, content } = await task.elicit({ message: 'Sure?', requestedSchema })
    expectTypeOf(action).toEqualTypeOf<'accept' | 'decline' | 'cancel'>()
    expectTypeOf(content).toEqualTypeOf<JsonObject | undefined>()
    await task.elicit({ mode: 'url', message: 'Pay', url: 'https://pay.example', elicitationId: 'x' })
    expectTypeOf(await task.sample({ messages: [], maxTokens: 10 })).toEqualTypeOf<JsonObject>()
    // @ts-expect-error a form needs a schema
    await task.elicit({ message: 'Sure?' })
    // @ts-expect-error a page needs an address
    await task.elicit({ mode: 'url', message: 'Pay' })
    // @ts-expect-error a question is plain JSON
    await task.sample({ at: new Date() })
  })
}

export async function tasksAreListedWatchedAndAnswered(): Promise<void> {
  const { tasks, nextCursor } = await cache.listTasks({ actor: 'user', limit: 10 })
  expectTypeOf(tasks).toEqualTypeOf<readonly TaskInfo[]>()
  expectTypeOf(nextCursor).toEqualTypeOf<string | undefined>()
  const { response, createdAt } = tasks[0] as TaskInfo
  expectTypeOf(response).toEqualTypeOf<CallResponse>()
  expectTypeOf(createdAt).toEqualTypeOf<Date>()
  if (response.status !== 'complete') {
    expectTypeOf(response.inputRequests).toEqualTypeOf<Readonly<Record<string, InputRequest>> | undefined>()
  }
  expectTypeOf(await cache.answerTask('cache:0', { 'elicit-1': {} })).toEqualTypeOf<CallResponse>()
  expectTypeOf(await cache.taskStatus('cache:0')).toEqualTypeOf<CallResponse>()
  expectTypeOf(await cache.exists('cache:0')).toEqualTypeOf<boolean>()
  // @ts-expect-error what adapters need stands apart
  void cache.recordDecision
  // @ts-expect-error so does this
  void cache.taskInfo
  expectTypeOf(await cache.watch('cache:0', {}, () => {})).toEqualTypeOf<() => void>()
}

export function aHandlerThatTakesNothingNeedsNoInput(): void {
  const tick = cache.cached({ name: 'tick' }, () => 'tock')
  void tick({})
  void tick()
  void tick(undefined, { asyncTimeout: 0 })
  void tick.value()
  // @ts-expect-error there is no such input
  void tick({ id: 'a' })
  const search = cache.cached({ name: 'search' }, (args: { depth?: number }) => args.depth ?? 1)
  void search()
  const analyze = cache.cached({ name: 'analyze' }, (args: { id: string }) => args.id)
  // @ts-expect-error the id is needed
  void analyze()
  // @ts-expect-error here, too
  void analyze.value()
}

export async function answersHaveTheTypeOfTheHandler(): Promise<void> {
  interface Row {
    name: string
    size: number
  }
  const rows = cache.cached({ name: 'rows' }, async (_: { id: string }): Promise<Row[]> => [])
  const answer = await rows({ id: 'a' })
  expectTypeOf(answer).toEqualTypeOf<CallResponse<Row[]>>()
  if (answer.isComplete) expectTypeOf(answer.value).toEqualTypeOf<Row[]>()
  if (answer.status === 'complete' && !answer.isComplete)
    expectTypeOf(answer.value).toEqualTypeOf<undefined>()
  expectTypeOf(await rows.value({ id: 'a' })).toEqualTypeOf<Row[]>()

  const input = z.object({ id: z.string(), at: z.string().transform(text => text.length) })
  const checked = cache.cached({ name: 'checked', input }, args => ({ at: args.at }))
  expectTypeOf(await checked.value({ id: 'a', at: 'noon' })).toEqualTypeOf<{ at: number }>()
}

export async function aFailureHasItsError(): Promise<void> {
  const answer = await cache.get('cache:0')
  if (answer.status === 'failed') {
    expectTypeOf(answer).toEqualTypeOf<FailedResponse>()
    expectTypeOf(answer.error).toEqualTypeOf<string>()
    expectTypeOf(answer.errorCode).toEqualTypeOf<ErrorCode>()
    expectTypeOf(answer.canRetry).toEqualTypeOf<boolean>()
  }
  if (answer.isAsync) expectTypeOf(answer.status).toEqualTypeOf<'pending' | 'processing'>()
}

export async function resolveTakesATypeOrASchema(): Promise<void> {
  expectTypeOf(await cache.resolve('cache:0')).toEqualTypeOf<JsonValue>()
  expectTypeOf(await cache.resolve<{ id: string }>('cache:0')).toEqualTypeOf<{ id: string }>()
  // @ts-expect-error a type is believed only where it is written down
  const guessed: { id: string } = await cache.resolve('cache:0')
  void guessed
  const schema = z.object({ id: z.string().transform(Number) })
  expectTypeOf(await cache.resolve('cache:0', { schema })).toEqualTypeOf<{ id: number }>()
}

export function durationsAreNumbersOrWordsWithAUnit(): void {
  expectTypeOf<'250ms' | '5s' | '10m' | '1.5h' | '7d' | 0 | 1000>().toExtend<Duration>()
  expectTypeOf<'5'>().not.toExtend<Duration>()
  expectTypeOf<'5sec'>().not.toExtend<Duration>()
  expectTypeOf<'soon'>().not.toExtend<Duration>()
  new RefCache({ defaultTtl: '1h' })
  new RefCache({ defaultTtl: null })
  // @ts-expect-error a duration has a unit
  new RefCache({ defaultTtl: 'an hour' })
  // @ts-expect-error a lease always ends
  new RefCache({ leaseDuration: null })
}

export function optionsAreClosed(): void {
  // @ts-expect-error the option is called defaultTtl
  new RefCache({ ttl: '1h' })
  new RefCache({ preview: { maxSize: 500, sizeMode: 'character', strategy: 'paginate' } })
  // @ts-expect-error there is no such strategy
  new RefCache({ preview: { strategy: 'shorten' } })
  // @ts-expect-error there is no such option
  void cache.get('cache:0', { pages: 2 })
}

export async function referencesAndValues(): Promise<void> {
  const reference = await cache.set('users', [1, 2, 3], {
    namespace: 'user:ada',
    policy: { user: Permission.FULL, agent: Permission.READ | Permission.EXECUTE },
    ttl: '10m',
  })
  expectTypeOf(reference).toEqualTypeOf<CacheReference>()
  expectTypeOf(reference.refId).toEqualTypeOf<string>()
  expectTypeOf(await cache.resolve(reference.refId, { actor: actor.system() })).toEqualTypeOf<JsonValue>()
  expectTypeOf(await cache.exists(reference.refId)).toEqualTypeOf<boolean>()
  expectTypeOf(await cache.delete(reference.refId, { actor: 'user' })).toEqualTypeOf<true>()
  expectTypeOf(await cache.clear('public')).toEqualTypeOf<number>()
  expectTypeOf(await cache.cancelTask(reference.refId)).toEqualTypeOf<CallResponse>()
  // @ts-expect-error there is no such role
  void cache.get(reference.refId, { actor: 'admin' })
}

export function errorsHaveCodes(error: unknown): void {
  if (error instanceof RefCacheError) expectTypeOf(error.code).toEqualTypeOf<ErrorCode>()
  expectTypeOf<NotFound['code']>().toEqualTypeOf<'not_found'>()
  expectTypeOf<InvalidArgument['code']>().toEqualTypeOf<'invalid_argument'>()
  expectTypeOf<TaskFailed['code']>().toEqualTypeOf<ErrorCode>()
  // @ts-expect-error it is the base of the others
  new RefCacheError('no')
}

export function policiesAreReadOnly(policy: AccessPolicy): void {
  // @ts-expect-error
  policy.agent = Permission.FULL
}

export function attachedToolsTakeTheirTypesFromTheirSchemas(): void {
  const { registerTool } = attachRefCache(new McpServer({ name: 'a', version: '1' }), cache, {
    maxWait: '50s',
  })
  const inputSchema = z.object({ site: z.string(), pages: z.number().default(50) })
  registerTool('crawl', { inputSchema, ttl: '1h', asyncTimeout: 0 }, async (args, task) => {
    // What the schema makes of the call's arguments: defaults are there.
    expectTypeOf(args).toEqualTypeOf<{ site: string; pages: number }>()
    expectTypeOf(task.refId).toEqualTypeOf<string>()
    return [args.site]
  })
  registerTool(
    'fetch',
    { inputSchema, prepare: async (args, { http }) => [{ ...args }, { token: http?.authInfo?.token ?? '' }] },
    (_args, task, context, local) => {
      expectTypeOf(task.actor).toEqualTypeOf<Actor>()
      expectTypeOf(context).toEqualTypeOf<ServerContext | undefined>()
      expectTypeOf(local).toEqualTypeOf<{ token: string } | undefined>()
    },
  )
  registerTool('plain', { inputSchema, prepare: args => ({ ...args, pages: 1 }) }, (...[, , , local]) => {
    expectTypeOf(local).toEqualTypeOf<undefined>()
  })
  const asking = () => inputRequired({ requestState: 'asked' })
  registerTool('ask', { prepare: (args, { mcpReq }) => (mcpReq.inputResponses ? args : asking()) }, () => 1)
  // @ts-expect-error a token alone is no input
  registerTool('bare', { prepare: () => 'token' }, () => 1)
  const outputSchema = z.object({ rows: z.number() })
  registerTool('count', { outputSchema }, () => ({ rows: 3 }))
  // @ts-expect-error the result has to match what the tool declares
  registerTool('count', { outputSchema }, () => ({ rows: 'three' }))
  // @ts-expect-error there is no such option
  registerTool('count', { timeout: 0 }, () => 3)
}

export function callersGiveWhatTheSchemaTakes(): void {
  const input = z.object({ depth: z.number().default(2), at: z.string().transform(text => text.length) })
  const analyze = cache.cached({ name: 'analyze', input }, async args => {
    expectTypeOf(args).toEqualTypeOf<{ depth: number; at: number }>()
  })
  void analyze({ at: 'noon' })
  // @ts-expect-error before its transform it is a string
  void analyze({ at: 4 })
}

export async function whatOperatorsSeeHoldsNoValue(): Promise<void> {
  const { entries, nextCursor } = await cache.list({ statuses: ['failed'], olderThan: '1h' })
  expectTypeOf(entries).toEqualTypeOf<readonly EntryInfo[]>()
  expectTypeOf(nextCursor).toEqualTypeOf<string | undefined>()
  // @ts-expect-error
  entries[0]?.value
  const { progress } = await cache.inspect('cache:0')
  // @ts-expect-error the words of a handler
  progress?.message
  // @ts-expect-error
  await cache.list({ statuses: ['done'] })
}
