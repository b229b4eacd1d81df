import type { ActorLike } from '../../access/actor.ts'
import type { Duration } from '../../core/duration.ts'
import { ENTRY_STATUSES, type EntryStatus } from '../../core/entry.ts'
import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { cacheNameOf, isRefOf } from '../../core/ref.ts'
import type { RefCache } from '../../ref-cache.ts'

/** Says which value a reference stands for. No such member exists. */
declare const VALUE: unique symbol

/**
 * What a tool gives in the place of a result that is large or still on its way, as the model is shown it (docs/wire-format.md).
 * It is plain JSON, so it can be stored with the conversation. `wholeOf` gives the value.
 */
export interface Reference<Value = unknown> {
  readonly ref_id: string
  readonly status: EntryStatus
  readonly is_complete: boolean
  readonly is_async: boolean
  readonly message?: string
  readonly [VALUE]?: Value
  readonly [field: string]: unknown
}

type ReferenceIn<Output> = unknown extends Output ? Output & Reference : Extract<Output, Reference>

/** Whether a tool gave a reference in the place of its result. */
export function isReference<Output>(output: Output): output is ReferenceIn<Output> {
  if (!isJsonObject(output as JsonValue)) return false
  const { ref_id, status, is_complete, is_async } = output as Partial<Reference>
  return (
    typeof ref_id === 'string' &&
    isRefOf(cacheNameOf(ref_id), ref_id) &&
    ENTRY_STATUSES.some(one => one === status) &&
    typeof is_complete === 'boolean' &&
    typeof is_async === 'boolean'
  )
}

/** Options of `wholeOf`. */
export interface WholeOfOptions {
  /** Who asks. Name it wherever the output may have come from outside. @defaultValue an anonymous agent */
  actor?: ActorLike | undefined
  /** How long to wait for work that still runs. @defaultValue until its hard timeout ends it */
  wait?: Duration | undefined
  /** Ends the wait with its reason, never the work. */
  signal?: AbortSignal | undefined
}

/** No timer of Node is set for more than 24.8 days. */
const AS_LONG_AS_IT_TAKES = '24d'

/**
 * The whole result of a tool's call, for the program: what the tool gave, or what its reference stands for, as JSON keeps it.
 * @throws NotFound, PermissionDenied, TaskFailed, TaskCancelled; TaskNotReady when the wait is over; the signal's reason
 */
export async function wholeOf<Output>(
  cache: RefCache,
  output: Output,
  { actor, wait = AS_LONG_AS_IT_TAKES, signal }: WholeOfOptions = {},
): Promise<WholeOf<Output>> {
  if (!isReference(output)) return output as WholeOf<Output>
  return cache.resolve<WholeOf<Output>>((output as Reference).ref_id, { actor, wait, signal })
}

/** The type of the value, of what a tool gives. */
export type WholeOf<Output> = Output extends Reference<infer Value> ? Value : Output
