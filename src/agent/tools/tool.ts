import type * as z from 'zod'
import type { ActorLike } from '../../access/actor.ts'
import type { AnswerLimits } from '../../core/answer-limits.ts'
import { type Duration, toMilliseconds } from '../../core/duration.ts'
import type { Progress } from '../../core/entry.ts'
import { NotFound, RefCacheError } from '../../core/errors.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { Names } from '../../core/options.ts'
import { toForeignReference } from '../../core/part.ts'
import { cacheNameOf } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import type { RefCache } from '../../ref-cache.ts'
import { parseSentArguments, RESPONSE_FORMAT_ARGUMENT, toJsonSchema } from '../arguments.ts'
import type { TaskCallOptions } from '../tasks/service.ts'
import { internalError, type ToolResult, toErrorResult } from '../wire.ts'

/** Who calls a tool of this package, and how the call can end or report before its answer. */
export interface ToolContext {
  actor?: ActorLike | undefined
  signal?: AbortSignal | undefined
  onProgress?: ((progress: Progress) => void) | undefined
  /** Whether it runs on this machine, for whoever started this server: then it can open files here. @defaultValue false */
  isLocal?: boolean | undefined
  /** Whether entries are resources there. @defaultValue false */
  servesResources?: boolean | undefined
  /** What its client can take. @defaultValue what an unknown one can */
  limits?: AnswerLimits | undefined
  /** Runs what stores so many bytes of JSON for the caller, or throws QuotaFull. @defaultValue the caller has no quotas */
  storing?: (<T>(bytes: number, run: () => Promise<T>) => Promise<T>) | undefined
}

/** A tool of this package, free of any SDK: the adapters register it in their own way. */
export interface OwnTool {
  readonly name: string
  readonly title: string
  readonly description: string
  /** JSON Schema. `handle` checks its arguments itself, so that a bad one gets a coded error. */
  readonly inputSchema: JsonObject
  readonly annotations: JsonObject
  /** It runs or stores something: where callers have quotas, it counts as a call. */
  readonly countsAsCall?: true
  /** It wants numbers of its arguments to the last digit. */
  readonly exactNumbers?: true
  handle(args: unknown, context: ToolContext): Promise<ToolResult>
  /** Absent: it is never called as a task of MCP. */
  readonly asTask?: OwnTask
}

/** A tool of this package whose calls are calls of the cache, so that tasks can become of them. */
export interface OwnTask {
  /** Makes the call. @throws RefCacheError */
  start(args: unknown, context: ToolContext, task: TaskCallOptions): Promise<CallResponse>
  /** How its answer is written. */
  present(response: CallResponse, limits: AnswerLimits): ToolResult
}

/** How long the tools that wait hold their answers. */
export interface PollingOptions {
  /** Longest time that one poll is held. Clients give up after 30 to 60 s. @defaultValue '25s', at most '50s' */
  maxWait?: Duration | undefined
  /** How long a poll is held for callers that do not say. @defaultValue '20s' */
  defaultWait?: Duration | undefined
}

export const POLLING_OPTIONS: Names<PollingOptions> = { maxWait: true, defaultWait: true }

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

interface Definition<Schema extends z.ZodObject> extends Omit<OwnTool, 'inputSchema' | 'handle'> {
  schema: Schema
  /** Arguments that are listed otherwise than they are checked. */
  listed?: JsonObject
  run(args: z.output<Schema>, context: ToolContext): Promise<ToolResult>
}

/** A tool that answers in every case, with an error of the wire too. */
export function define<Schema extends z.ZodObject>({
  schema,
  listed,
  run,
  ...tool
}: Definition<Schema>): OwnTool {
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
