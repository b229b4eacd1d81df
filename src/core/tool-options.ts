import type { Namespace } from '../access/namespace.ts'
import type { AccessPolicy } from '../access/policy.ts'
import type { Duration } from './duration.ts'
import type { PreviewSettings } from './entry.ts'
import type { ResolveRefs } from './input.ts'
import type { JsonObject } from './json.ts'
import type { Names } from './options.ts'
import type { StandardSchema } from './standard-schema.ts'

/** How much an answer about a task in flight says. */
export type ResponseFormat = 'minimal' | 'standard' | 'full'

/** Whether reading a result renews it. */
export type TtlMode = 'fixed' | 'sliding'

/** Where a handler can be loaded from. */
export interface HandlerPlace {
  readonly module: string | URL
  /** Its name there. */
  readonly export: string
}

/** @typeParam Input what callers give; @typeParam Parsed what `input` makes of it for the handler */
export interface ToolOptions<Input = unknown, Parsed = Input> {
  /** Part of the key of each call; unique within the cache. */
  name: string
  /**
   * Whether a tool that has the name already is replaced. What runs goes on with its own handler.
   * @defaultValue false: a second tool of one name is refused
   */
  replace?: boolean | undefined
  /**
   * How long a call waits before it answers with a handle. It never stops the work.
   * @defaultValue undefined: waits for the result; 0 always answers with a handle (unless the result is there)
   */
  asyncTimeout?: Duration | undefined
  /**
   * How long the work may run before it is aborted and failed; null for no limit.
   * @defaultValue '1h'
   */
  hardTimeout?: Duration | null | undefined
  /**
   * How long the result is kept; null for ever.
   * @defaultValue that of the namespace, else the cache's `defaultTtl`
   */
  ttl?: Duration | null | undefined
  /**
   * Whether reading a result puts its expiry off by its `ttl` ('sliding') or not.
   * @defaultValue 'fixed'
   */
  ttlMode?: TtlMode | undefined
  /** @defaultValue 'public' */
  namespace?: Namespace | undefined
  /** What it leaves open is as the roles' defaults say. @defaultValue that of the namespace */
  policy?: AccessPolicy | undefined
  /**
   * Which references in the input are replaced by their values before the handler runs: all that the caller wrote, none,
   * those within the named arguments, or `'deep'`: also those that stand in the values themselves. A caller needs READ or
   * EXECUTE for each.
   * @defaultValue true
   */
  resolveRefs?: ResolveRefs | undefined
  /**
   * The result reveals nothing private of the input. So an actor that may only use a value may see what this tool
   * makes of it. Say so only where it is true of every input: a mean over one row is that row.
   * @defaultValue false: who may not see the input's values may not see the result
   */
  declassifies?: boolean | undefined
  /**
   * The same value in several places of the input is one object, not a copy for each. For handlers that change nothing in
   * their input; has no effect beside an `input` schema, which copies anyway.
   * @defaultValue false
   */
  sharedInput?: boolean | undefined
  /**
   * Whether identical calls share one run and one result.
   * @defaultValue true
   */
  memoize?: boolean | undefined
  /**
   * Names by which memoized results can be freed again (`RefCache.invalidate`), also made from the input as the caller gave it:
   * `({ id }) => ['users', `user:${id}`]`. At most 100, of up to 256 characters.
   * @defaultValue none
   */
  tags?: readonly string[] | ((input: Input) => readonly string[]) | undefined
  /**
   * The tools whose memoized results a call of this one makes outdated, by name or by a pattern in which each `*` stands for any
   * text. Their keys are freed before the handler runs and when it has ended, in every process of the store.
   * @defaultValue none
   */
  invalidates?: readonly string[] | undefined
  /**
   * Whether the tool only reads. Identical calls of one actor then share a run that is in flight, and a result that nobody has
   * fetched yet (for 5 minutes), also where nothing is memoized; but never across a call of a tool that says false.
   * @defaultValue undefined: its calls neither share a run so, nor keep others from it
   */
  readOnly?: boolean | undefined
  /**
   * Whether the work may be run again by another process when the one that runs it is lost.
   * @defaultValue false
   */
  idempotent?: boolean | undefined
  /**
   * How often failed work is tried again by itself.
   * @defaultValue 0: not at all. Work with side effects should say so on purpose.
   */
  maxRetries?: number | undefined
  /** Before the first retry. @defaultValue '1s' */
  retryDelay?: Duration | undefined
  /** By how much the delay grows with each retry, up to 60 s. @defaultValue 2 */
  retryBackoffFactor?: number | undefined
  /**
   * Which errors are worth another try. One that throws, or gives no answer within 10 s, counts as a no.
   * @defaultValue all but those that would happen again (a value too large, …)
   */
  retryable?: ((error: unknown) => boolean | Promise<boolean>) | undefined
  /**
   * Which executor of the cache (`RefCacheOptions.executors`) runs the handler. It finds the handler by the tool's name; the one
   * that is given here then runs in no process.
   * @defaultValue this process
   */
  executor?: string | undefined
  /**
   * Where an executor that runs handlers elsewhere finds this one: a module, as a URL (`new URL('./tools.js', import.meta.url)`) or
   * path, and the name of an export. Needs `executor`.
   * @defaultValue the executor looks for the handler in its own modules
   */
  run?: HandlerPlace | undefined
  /** How many calls of this tool run at once in this process. @defaultValue no limit but the cache's */
  maxConcurrentTasks?: number | undefined
  /** How much of a result is shown; what is absent is the cache's default. */
  preview?: PreviewSettings | undefined
  /** The name of the projection that previews and pages go through (`RefCacheOptions.projections`). */
  projection?: string | undefined
  /**
   * The tool passes on what another program sent: inputs and results are JSON already, of any depth, with numbers as
   * they were written (`ExactNumber`). They are stored as they are, and not looked through first.
   * @defaultValue false
   */
  verbatim?: boolean | undefined
  /** @defaultValue 'standard' */
  responseFormat?: ResponseFormat | undefined
  /**
   * Validates the input, and makes of it what the handler gets: defaults, a Date, a Set. Any Standard Schema (zod, valibot, …).
   * Runs when the call is made and again where its handler runs, on what JSON keeps of the input. Inputs of which it makes the same plain
   * JSON are the same call; where it makes something else, those that are given alike are.
   */
  input?: StandardSchema<Input, Parsed> | undefined
  /**
   * JSON Schema of the input: the value of a reference becomes what it wants in that place.
   * @defaultValue what `input` says of itself
   */
  inputJsonSchema?: JsonObject | undefined
  /** JSON Schema of the result; told to callers who ask for the `full` format. */
  outputSchema?: JsonObject | undefined
}

export const TOOL_OPTIONS: Names<ToolOptions> = {
  name: true,
  replace: true,
  asyncTimeout: true,
  hardTimeout: true,
  ttl: true,
  ttlMode: true,
  namespace: true,
  policy: true,
  resolveRefs: true,
  declassifies: true,
  sharedInput: true,
  memoize: true,
  tags: true,
  invalidates: true,
  readOnly: true,
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
  input: true,
  inputJsonSchema: true,
  outputSchema: true,
}
