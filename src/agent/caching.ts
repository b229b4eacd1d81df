import { InvalidArgument, TaskFailed } from '../core/errors.ts'
import type { Names } from '../core/options.ts'
import { type StandardSchema, validate } from '../core/standard-schema.ts'
import type { Handler, ToolOptions } from '../core/tool.ts'

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
  maxConcurrentTasks: true,
  preview: true,
  projection: true,
  verbatim: true,
  responseFormat: true,
}

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

/** Clients hold an answer against the declared schema: a result that breaks it is the tool's failure, at once. */
export function checked<Input>(
  handler: Handler<Input, unknown>,
  schema: StandardSchema<unknown>,
): Handler<Input, unknown> {
  return async (input, task) => {
    const result = await handler(input, task)
    try {
      return await validate(schema, result, 'The result of the tool')
    } catch (error) {
      if (!(error instanceof InvalidArgument)) throw error
      throw new TaskFailed(`${error.message} It has to match the outputSchema that the tool declares.`)
    }
  }
}
