import type { PreviewSettings } from '../core/entry.ts'
import type { Handler } from '../core/handler.ts'
import type { Names } from '../core/options.ts'
import type { StandardSchema } from '../core/standard-schema.ts'
import type { ToolOptions } from '../core/tool-options.ts'
import { checkResult } from '../values/check-result.ts'
import { ENVELOPED_RESULT, RETURNED_RESULT } from '../values/result-projections.ts'
import type { Envelope } from './present.ts'

/** What every adapter makes of a tool's words about itself. */

/** The cache's options in the config of a tool. The rest of them an adapter makes of what its SDK's config says. */
export interface CachingOptions
  extends Omit<
    ToolOptions,
    | 'name'
    | 'replace'
    | 'input'
    | 'inputJsonSchema'
    | 'outputSchema'
    | 'asyncTimeout'
    | 'memoize'
    | 'readOnly'
    | 'idempotent'
    | 'namespace'
  > {
  /**
   * Whether identical calls share one run and one result, for as long as `ttl`. A tool with side effects must run each time.
   * Without it, identical calls of one caller to a tool with `readOnlyHint` share a run that is in flight, and a result that
   * nobody has fetched yet, but never across a call of a tool without that hint.
   * @defaultValue false
   */
  memoize?: boolean | undefined
  /**
   * Whether the work may be run again by another process when the one that runs it is lost.
   * @defaultValue true where the annotations say readOnlyHint or idempotentHint, else false
   */
  idempotent?: boolean | undefined
}

export const CACHING_OPTIONS: Names<CachingOptions> = {
  hardTimeout: true,
  ttl: true,
  ttlMode: true,
  policy: true,
  resolveRefs: true,
  declassifies: true,
  sharedInput: true,
  memoize: true,
  tags: true,
  invalidates: true,
  idempotent: true,
  maxRetries: true,
  retryDelay: true,
  retryBackoffFactor: true,
  retryable: true,
  executor: true,
  run: true,
  maxConcurrentTasks: true,
  preview: true,
  projection: true,
  verbatim: true,
  responseFormat: true,
}

/** What a model is told of references with each tool. */
export interface ToolListingOptions {
  /** Lists `_fresh` and `_as_ref` with each tool, for clients that send only what is listed. @defaultValue false */
  listReserved?: boolean | undefined
  /** Says with each tool how references work, for clients that ignore instructions. @defaultValue false */
  notes?: boolean | undefined
}

export const TOOL_LISTING_OPTIONS: Names<ToolListingOptions> = { listReserved: true, notes: true }

interface Hints {
  readOnlyHint?: boolean | undefined
  idempotentHint?: boolean | undefined
}

/**
 * How a tool goes through the cache unless its author says otherwise. No hint memoizes: that a call may be repeated is no
 * promise that its answer stays true. Where the server is made anew for every request, its tools are, too.
 */
export function cachingDefaults({ readOnlyHint = false, idempotentHint = false }: Hints = {}) {
  return {
    replace: true,
    asyncTimeout: '20s',
    memoize: false,
    readOnly: readOnlyHint,
    idempotent: readOnlyHint || idempotentHint,
  } satisfies Partial<ToolOptions>
}

/** The handler as the cache runs it: what it returns is held to what the tool declares. */
export function checked<Input>(
  handler: Handler<Input, unknown>,
  schema: StandardSchema<unknown> | undefined,
): Handler<Input, unknown> {
  return async (...args) => checkResult(await handler(...args), schema)
}

/** How the results of a tool are shown, unless its author says otherwise. */
export function projectionFor(envelope: Envelope | undefined): string {
  return envelope === 'always' ? ENVELOPED_RESULT : RETURNED_RESULT
}

/** Where a tool says how many characters of its results it wants whole. */
const TOOL_LIMIT_META = 'anthropic/maxResultSizeChars'
/** Clients give no more. */
const MOST_CHARACTERS = 500_000

/** How many characters of its results a tool wants whole, by its listed metadata. */
export function toolLimitIn(meta: unknown): number | undefined {
  const wish = (meta as Readonly<Record<string, unknown>> | undefined | null)?.[TOOL_LIMIT_META]
  return Number.isSafeInteger(wish) && Number(wish) > 0 ? Math.min(Number(wish), MOST_CHARACTERS) : undefined
}

/** The preview settings of a tool, with what its listed metadata says. */
export function withToolLimit(
  preview: PreviewSettings | undefined,
  meta: unknown,
): PreviewSettings | undefined {
  const maxResultCharacters = toolLimitIn(meta)
  return maxResultCharacters === undefined ? preview : { maxResultCharacters, ...preview }
}
