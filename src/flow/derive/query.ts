import { type Actor, type ActorLike, describeActor, toActor } from '../../access/actor.ts'
import type { AnswerLimits } from '../../core/answer-limits.ts'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import {
  type AppendedValue,
  type Entry,
  isExpired,
  isInFlight,
  type MadeOf,
  originOf,
  type Progress,
} from '../../core/entry.ts'
import { type AppendedView, isSealedEntry } from '../../core/entry-value.ts'
import { NotFound, TaskNotReady, UnreadableValue } from '../../core/errors.ts'
import type { TaskContext } from '../../core/handler.ts'
import type { JsonValue } from '../../core/json.ts'
import { checkNames, type Names } from '../../core/options.ts'
import { toReference } from '../../core/part.ts'
import type { AskCapabilities } from '../../core/question.ts'
import type { RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import { defineTool, type Tool } from '../../core/tool.ts'
import type { ResponseFormat } from '../../core/tool-options.ts'
import type { SqlSource } from '../../query/sql.ts'
import { channels, isHeard, trace } from '../../telemetry/channels.ts'
import type { QueryMessage } from '../../telemetry/messages.ts'
import { searchDocument } from '../../values/search/search.ts'
import type { ValueDocument } from '../../values/value-document.ts'
import { call } from '../call/call.ts'
import type { CallOptions } from '../call/options.ts'
import { ASK } from '../call/references.ts'
import type { Engine } from '../engine.ts'
import { appendedAt, appendedOf } from '../read/appended.ts'
import { findFor } from '../read/find.ts'
import { openDocument } from '../read/value-document.ts'
import { lifetimeOf } from './lifetime.ts'
import { checkQuestion, type QuestionText } from './question.ts'

/** The tool that a question is a call of, as answers and lists of tasks name it. */
export const QUERY_TOOL = 'query_cached_result'

/** A question about a value, and how it is asked. */
export interface QueryOptions extends QuestionText {
  /** @defaultValue an anonymous agent */
  actor?: ActorLike | undefined
  /** Budget of the answer, in the cache's size mode. @defaultValue the cache's */
  maxSize?: number | undefined
  /** How long to wait for the value and for the answer; beyond it the answer is the handle of the question. @defaultValue no limit */
  wait?: Duration | undefined
  /** What the reader of the answer can take, which then decides what passes whole. For adapters. @defaultValue `maxSize` decides */
  limits?: AnswerLimits | undefined
  responseFormat?: ResponseFormat | undefined
  /** As for calls of tools. For adapters. */
  ownEntry?: CallOptions['ownEntry']
  /** As for calls of tools. For adapters. */
  interactive?: boolean | AskCapabilities | undefined
  /** Ends the question, unless another caller waits for the same one. */
  signal?: AbortSignal | undefined
  /** Hears of progress during the wait. */
  onProgress?: ((progress: Progress) => unknown) | undefined
}

const OPTIONS: Names<QueryOptions> = {
  sql: true,
  search: true,
  context: true,
  tables: true,
  actor: true,
  maxSize: true,
  wait: true,
  limits: true,
  responseFormat: true,
  ownEntry: true,
  interactive: true,
  signal: true,
  onProgress: true,
}

/** The answer, or how its task stands. What is to be said of an answer without rows is its `message`. */
export function query(engine: Engine, asked: RefId, options: QueryOptions): Promise<CallResponse> {
  if (!isHeard(channels.query)) return makeQuery(engine, asked, options)
  const kind = options.sql === undefined ? 'search' : 'sql'
  const refId = toReference(engine.name, asked)?.refId ?? asked
  const sources = 1 + Object.keys(options.tables ?? {}).length
  const message: QueryMessage = { cache: engine.name, refId, kind, sources }
  return trace(channels.query, message, () => makeQuery(engine, asked, options))
}

async function makeQuery(engine: Engine, asked: RefId, options: QueryOptions): Promise<CallResponse> {
  checkNames(options, OPTIONS, '`query`')
  const { sql, search, context, tables, wait, actor, ...how } = options
  const who = toActor(actor)
  const question = await checkQuestion({ sql, search, context, tables })
  const asyncTimeout = wait === undefined ? undefined : toMilliseconds(wait, 'wait')
  for (let tries = 1; ; tries++) {
    const sources = await findSources(engine, [asked, ...Object.values(tables ?? {})], who)
    if (question.sql !== undefined) engine.sql.check(question.sql)
    const soFar = soFarIn(sources)
    const input = { ref_id: asked, ...question, ...(soFar ? { so_far: soFar } : {}) }
    const { namespace } = (sources[0] as Source).entry
    try {
      const options = { ...how, actor: who, namespace, cancelsWork: true, asyncTimeout }
      return await withNote(engine, await call(engine, toolFor(engine, sources), input, options))
    } catch (error) {
      // Its task began another value in between: the next try asks that.
      if (!(error instanceof ValueReplaced) || tries === MOST_TRIES) throw error
    }
  }
}

const MOST_TRIES = 3

/** The value that was asked is no more: a retry of its task began another one. */
class ValueReplaced extends TaskNotReady {
  constructor() {
    super('The task behind this reference was tried again, and has begun another value. Ask again.')
  }
}

/** A value that is asked. */
interface Source {
  readonly refId: RefId
  readonly entry: Entry
  /** What there is of it while its task has no value. */
  readonly appended: AppendedView | undefined
}

function findSources(engine: Engine, references: readonly RefId[], who: Actor): Promise<Source[]> {
  const find = async (refId: RefId) => {
    const entry = await findFor(engine, refId, who, { ...ASK, audit: 'denials-only' })
    // Its question would be an entry here, which nobody encrypts.
    if (isSealedEntry(entry)) throw new UnreadableValue('it is encrypted, and there is no key here')
    return { refId, entry, appended: await appendedOf(engine, entry) }
  }
  const named = references.map(reference => toReference(engine.name, reference)?.refId ?? reference)
  return Promise.all([...new Set(named)].map(find))
}

/** How much there was of values whose tasks have none, by reference. It tells questions apart. */
type SoFar = Readonly<Record<RefId, AppendedValue & { readonly isGrowing: boolean }>>

function soFarIn(sources: readonly Source[]): SoFar | undefined {
  const found = sources.flatMap(({ refId, appended }) =>
    appended?.appended ? [[refId, { ...appended.appended, isGrowing: isInFlight(appended) }] as const] : [],
  )
  return found.length > 0 ? Object.fromEntries(found) : undefined
}

/** What a question is a call of: its answer is kept and shown to others like the values that are asked. */
function toolFor(engine: Engine, sources: readonly Source[]): Tool {
  const { ttl, sliding } = lifetimeOf(
    engine,
    sources.map(({ entry }) => entry),
  )
  const { policy } = (sources[0] as Source).entry
  const ttlMode = sliding ? 'sliding' : 'fixed'
  return {
    ...queryTool(engine),
    policy,
    ttl: ttl ?? null,
    keepFor: ttl ?? null,
    origin: originOf((sources[0] as Source).entry),
    ttlMode,
    madeOf: madeOf(sources),
  }
}

function madeOf(sources: readonly Source[]): MadeOf | undefined {
  const views = sources.flatMap(({ appended }) => appended ?? [])
  if (views.length === 0) return undefined
  return {
    isGrowing: views.some(isInFlight),
    available: sources[0]?.appended?.appended?.available,
    unfinished: sources.flatMap(({ refId, appended }) => (appended ? [refId] : [])),
  }
}

const tools = new WeakMap<Engine, Tool>()

/** Also for the process that takes a question over. */
export function queryTool(engine: Engine): Tool {
  const known = tools.get(engine)
  if (known) return known
  const answer = async (input: Question, task: TaskContext): Promise<JsonValue> =>
    input.sql === undefined ? searchIn(engine, input, task) : askInSql(engine, input, task)
  const options = {
    name: QUERY_TOOL,
    readOnly: true,
    idempotent: true,
    verbatim: true,
    // What is searched for may look like a reference.
    resolveRefs: ['ref_id', 'tables'],
  }
  const soFar = (input: JsonValue) => Object.keys((input as unknown as Question).so_far ?? {})
  const tool: Tool = { ...defineTool(options, answer), takesReferences: { soFar }, endsWithCallers: true }
  tools.set(engine, tool)
  return tool
}

/** The input of a question's task. */
type Question = SqlInput | SearchInput

interface QuestionInput {
  readonly ref_id: RefId
  readonly so_far?: SoFar
}

interface SqlInput extends QuestionInput {
  readonly sql: string
  readonly tables?: Readonly<Record<string, RefId>>
}

interface SearchInput extends QuestionInput {
  readonly sql?: undefined
  readonly search: string
  readonly context?: number
}

async function searchIn(
  engine: Engine,
  { ref_id, so_far, search, context }: SearchInput,
  { signal }: TaskContext,
) {
  return searchDocument(await open(engine, ref_id, so_far), { search, context, signal })
}

/** The references were authorized for whoever asks before this runs. */
async function askInSql(engine: Engine, { ref_id, sql, tables = {}, so_far }: SqlInput, task: TaskContext) {
  const source = (asked: RefId, name?: string): SqlSource => ({
    id: idOf(engine, asked, so_far),
    name,
    open: () => open(engine, asked, so_far),
  })
  const sources = [source(ref_id), ...Object.entries(tables).map(([name, asked]) => source(asked, name))]
  const answer = await engine.sql.ask({
    caller: describeActor(task.actor),
    sources,
    sql,
    maxBytes: engine.settings.maxValueBytes,
    signal: task.signal,
  })
  if (answer.note !== undefined) task.progress({ message: answer.note })
  return answer.rows
}

/** What is loaded of a value that grows is another value than what there is later. */
function idOf(engine: Engine, asked: RefId, soFar: SoFar | undefined): string {
  const { id, valueBytes } = soFar?.[toReference(engine.name, asked)?.refId ?? asked] ?? {}
  return id === undefined ? asked : `${asked} ${id} ${valueBytes}`
}

async function open(engine: Engine, asked: RefId, soFar: SoFar | undefined): Promise<ValueDocument> {
  // Only a reference of this cache was authorized.
  const { refId, part } = toReference(engine.name, asked) ?? {}
  const entry = refId === undefined ? undefined : await engine.store.get(refId)
  if (!entry || refId === undefined || isExpired(entry, engine.clock.expiryNow())) throw new NotFound()
  const amount = soFar?.[refId]
  if (!amount) {
    if (entry.status !== 'complete') throw new NotFound()
    return openDocument(engine, entry, part)
  }
  const valued = await appendedAt(engine, entry, amount)
  if (!valued) throw new ValueReplaced()
  return openDocument(engine, valued, part)
}

/** Why there are no rows stands in the record of the task: a hit says it, too. */
async function withNote(engine: Engine, answer: CallResponse): Promise<CallResponse> {
  return hasNoRows(answer) ? noted(answer, await engine.store.get(answer.refId)) : answer
}

/** The same where the entry of the answer is at hand. */
export function noted(answer: CallResponse, entry: Entry | undefined): CallResponse {
  const isAnswer = entry?.status === 'complete' && entry.toolName === QUERY_TOOL
  const message = isAnswer && hasNoRows(answer) ? entry.progress?.message : undefined
  return message === undefined ? answer : { ...answer, message }
}

function hasNoRows(answer: CallResponse): boolean {
  if (answer.status !== 'complete' || !answer.isComplete) return false
  return Array.isArray(answer.value) && answer.value.length === 0
}
