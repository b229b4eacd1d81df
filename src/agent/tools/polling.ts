import * as z from 'zod'
import type { ActorLike } from '../../access/actor.ts'
import type { AnswerLimits } from '../../core/answer-limits.ts'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import type { Progress } from '../../core/entry.ts'
import { NotFound, RefCacheError } from '../../core/errors.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import { toForeignReference } from '../../core/part.ts'
import { cacheNameOf } from '../../core/ref.ts'
import type { RefCache } from '../../ref-cache.ts'
import { parseSentArguments, RESPONSE_FORMAT_ARGUMENT, responseFormat, toJsonSchema } from '../arguments.ts'
import {
  CANCEL_TASK_DESCRIPTION,
  GET_CACHED_RESULT_DESCRIPTION,
  RETRY_TASK_DESCRIPTION,
} from '../instructions.ts'
import { limitsOf } from '../limits.ts'
import { inFieldsRead, present, presentCall } from '../present.ts'
import { internalError, type ToolResult, toCancelResult, toErrorResult, toToolResult } from '../wire.ts'

/** Who calls a polling tool, and how the call can end or report before its answer. */
export interface PollContext {
  actor?: ActorLike | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((progress: Progress) => void) | undefined
  /** Whether it runs on this machine, for whoever started this server: then it can open files here. @defaultValue false */
  isLocal?: boolean | undefined
  /** What its client can take. @defaultValue what an unknown one can */
  limits?: AnswerLimits | undefined
}

/** A tool of this package, free of any SDK: the adapters register it in their own way. */
export interface PollingTool {
  readonly name: string
  readonly title: string
  readonly description: string
  /** JSON Schema. `handle` checks its arguments itself, so that a bad one gets a coded error. */
  readonly inputSchema: JsonObject
  readonly annotations: JsonObject
  /** It wants numbers of its arguments to the last digit. */
  readonly exactNumbers?: true
  handle(args: unknown, context: PollContext): Promise<ToolResult>
}

/** How `get_cached_result`, `cancel_task` and `retry_task` answer. */
export interface PollingOptions {
  /** Longest time that one poll is held. Clients give up after 30 to 60 s. @defaultValue '25s', at most '50s' */
  maxWait?: Duration | undefined
  /** How long a poll is held for callers that do not say. @defaultValue '20s' */
  defaultWait?: Duration | undefined
}

const refId = z.string()
const count = z.int().min(1)

/** Every word of it is in the list of tools that a model reads: what the names say needs no other. */
const getArguments = z.strictObject({
  ref_id: refId.describe('Or a part: ref_id#/json/pointer, ref_id#L10-L20.'),
  page: count.optional(),
  page_size: count.optional(),
  max_size: count.optional().describe('Tokens.'),
  full: z.boolean().optional().describe('All, as the tool gave it.'),
  keep_seconds: count.optional(),
  wait_seconds: z.number().min(0).optional(),
  [RESPONSE_FORMAT_ARGUMENT]: responseFormat.optional(),
})

const steerArguments = z.strictObject({ ref_id: refId })

/** The tools through which an agent follows references: `get_cached_result`, `cancel_task`, `retry_task`. */
export function pollingTools(cache: RefCache, options: PollingOptions = {}): PollingTool[] {
  return [getCachedResult(cache, options), cancelTask(cache), retryTask(cache)]
}

const MAX_WAIT_MS = 50_000

/** How long an answer is held: as long as the caller says, up to what the operator allows and the client waits. */
export function waitsOf(options: PollingOptions) {
  const most = Math.min(MAX_WAIT_MS, toMilliseconds(options.maxWait ?? '25s', 'maxWait'))
  const unsaid = toMilliseconds(options.defaultWait ?? '20s', 'defaultWait')
  return {
    listed: { type: 'number', default: unsaid / 1000, maximum: most / 1000 },
    /** In milliseconds; no longer than the client waits. */
    of: (seconds: number | undefined, { patience = most }: AnswerLimits) =>
      Math.min(seconds === undefined ? unsaid : seconds * 1000, most, patience),
  }
}

function getCachedResult(cache: RefCache, options: PollingOptions): PollingTool {
  const wait = waitsOf(options)
  return define({
    name: 'get_cached_result',
    title: 'Get cached result',
    description: GET_CACHED_RESULT_DESCRIPTION,
    annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
    schema: getArguments,
    listed: { wait_seconds: wait.listed },
    run: async (args, { actor, signal, onProgress, limits = limitsOf() }) => {
      const asked = cache.get(args.ref_id, {
        actor,
        signal,
        onProgress,
        page: args.page,
        pageSize: args.page_size,
        maxSize: args.max_size,
        full: args.full,
        limits,
        ...(args.keep_seconds === undefined ? {} : { keep: args.keep_seconds * 1000 }),
        wait: wait.of(args.wait_seconds, limits),
        responseFormat: args._async_response_format,
      })
      const answer = await ofThisCache(cache, args.ref_id, asked)
      return args.full ? presentCall(answer, { limits }) : present(answer, { limits })
    },
  })
}

function cancelTask(cache: RefCache): PollingTool {
  return define({
    name: 'cancel_task',
    title: 'Cancel task',
    description: CANCEL_TASK_DESCRIPTION,
    annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
    schema: steerArguments,
    run: async (args, { actor, limits }) => {
      const asked = cache.cancelTask(args.ref_id, { actor })
      return inFieldsRead(toCancelResult(await ofThisCache(cache, args.ref_id, asked)), limits?.reads)
    },
  })
}

function retryTask(cache: RefCache): PollingTool {
  return define({
    name: 'retry_task',
    title: 'Retry task',
    description: RETRY_TASK_DESCRIPTION,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
    schema: steerArguments,
    run: async (args, { actor, limits }) => {
      const asked = cache.retryTask(args.ref_id, { actor })
      return inFieldsRead(toToolResult(await ofThisCache(cache, args.ref_id, asked)), limits?.reads)
    },
  })
}

/** A reference of another server is not found here: its name says where to go. */
export async function ofThisCache<Answer>(
  cache: RefCache,
  refId: string,
  asked: Promise<Answer>,
): Promise<Answer> {
  try {
    return await asked
  } catch (error) {
    const foreign = error instanceof NotFound && toForeignReference(cache.name, refId)
    throw foreign ? new NotFound(cacheNameOf(foreign)) : error
  }
}

interface Definition<Schema extends z.ZodObject> extends Omit<PollingTool, 'inputSchema' | 'handle'> {
  schema: Schema
  /** Arguments that are listed otherwise than they are checked. */
  listed?: JsonObject
  run(args: z.output<Schema>, context: PollContext): Promise<ToolResult>
}

/** A tool that answers in every case, with an error of the wire too. */
export function define<Schema extends z.ZodObject>({
  schema,
  listed,
  run,
  ...tool
}: Definition<Schema>): PollingTool {
  return {
    ...tool,
    inputSchema: listedSchema(toJsonSchema(schema), listed),
    async handle(args, context) {
      try {
        return await run(parseSentArguments(schema, args), context)
      } catch (error) {
        return toErrorResult(error instanceof RefCacheError ? error : internalError(error))
      }
    },
  }
}

/**
 * A model pays for every word of it: what only checks an argument is left to `handle`. The reserved argument is listed nowhere: its
 * only use is for programs that know of it.
 */
function listedSchema(schema: JsonObject, listed: JsonObject = {}): JsonObject {
  const { properties, additionalProperties: _, ...kept } = schema
  const { [RESPONSE_FORMAT_ARGUMENT]: __, ...own } = properties as JsonObject
  const plain = Object.entries(own).map(([name, property]): [string, JsonValue] => [
    name,
    withoutMinimum(property),
  ])
  return { ...kept, properties: { ...Object.fromEntries(plain), ...listed } }
}

function withoutMinimum(property: JsonValue): JsonValue {
  if (!isJsonObject(property)) return property
  const { minimum: _, ...plain } = property
  return plain
}
