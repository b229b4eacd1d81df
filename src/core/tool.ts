import type { Namespace } from '../access/namespace.ts'
import { type AccessPolicy, checkPolicy } from '../access/policy.ts'
import { type Duration, toLimit, toMilliseconds, toPositiveMilliseconds } from './duration.ts'
import type { MadeOf, PreviewSettings } from './entry.ts'
import { InvalidArgument } from './errors.ts'
import { checkHandler, type Handler } from './handler.ts'
import { checkResolveRefs, type ResolveRefs } from './input.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { checkChoice, checkCount, checkNames, checkPreview, type Names } from './options.ts'
import type { RefId } from './ref.ts'
import { type RetryPolicy, retryPolicy } from './retry-policy.ts'
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

/** A registered tool: its options checked and with their defaults. */
export interface Tool {
  readonly name: string
  readonly handler: Handler<never, unknown>
  /** Milliseconds; absent: a call waits for the result. */
  readonly asyncTimeout: number | undefined
  readonly hardTimeout: number | undefined
  /** Absent: as long as the namespace says. */
  readonly ttl: Duration | null | undefined
  readonly ttlMode: TtlMode
  readonly namespace: Namespace
  /** Absent: that of the namespace. */
  readonly policy: AccessPolicy | undefined
  readonly resolveRefs: ResolveRefs
  readonly declassifies: boolean
  /** Its handler gets the references in its input as they are, and reads their values itself: its caller needs READ. */
  readonly takesReferences?: TakenReferences
  /**
   * Its work is its callers' alone: it ends with the last of them, and whoever joins what another actor has started follows it in an entry
   * of its own, which that one cannot cancel.
   */
  readonly endsWithCallers?: true
  /** `Entry.keepFor` of what its calls make. */
  readonly keepFor?: number | null | undefined
  /** `Entry.origin` of what its calls make. */
  readonly origin?: string | undefined
  /** What is made by a call of it is made of what a task had until then. */
  readonly madeOf?: MadeOf | undefined
  readonly sharedInput: boolean
  readonly memoize: boolean
  readonly tags: readonly string[] | ((input: never) => readonly string[])
  readonly invalidates: readonly string[]
  readonly readOnly: boolean | undefined
  readonly idempotent: boolean
  readonly retry: RetryPolicy
  /** Absent: this process. */
  readonly executor: string | undefined
  readonly run: HandlerPlace | undefined
  readonly maxConcurrentTasks: number | undefined
  readonly preview: PreviewSettings | undefined
  readonly projection: string | undefined
  readonly verbatim: boolean
  readonly responseFormat: ResponseFormat
  readonly input: StandardSchema<unknown> | undefined
  readonly inputJsonSchema: JsonObject | undefined
  readonly outputSchema: JsonObject | undefined
}

export interface TakenReferences {
  /** Those of which the handler reads what their tasks have appended, be they in flight, failed or cancelled. */
  soFar(input: JsonValue): readonly RefId[]
}

const DEFAULT_HARD_TIMEOUT = '1h'

const OPTIONS: Names<ToolOptions> = {
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

export function defineTool<Input, Output, Parsed>(
  options: ToolOptions<Input, Parsed>,
  handler: Handler<Parsed, Output>,
): Tool {
  if (typeof options.name !== 'string' || options.name === '' || options.name.length > 256) {
    throw new InvalidArgument('A tool needs a name of 1 to 256 characters.')
  }
  checkNames<object>(options, OPTIONS, `Tool '${options.name}'`)
  checkHandler(handler, `Tool '${options.name}'`)
  const { asyncTimeout, hardTimeout = DEFAULT_HARD_TIMEOUT, ttl } = options
  return {
    name: options.name,
    handler: handler as Handler<never, unknown>,
    asyncTimeout: asyncTimeout === undefined ? undefined : toMilliseconds(asyncTimeout, 'asyncTimeout'),
    hardTimeout: hardTimeout === null ? undefined : toPositiveMilliseconds(hardTimeout, 'hardTimeout'),
    ttl: checkTtl(ttl),
    ttlMode: checkChoice(options.ttlMode, ['fixed', 'sliding'], 'ttlMode') ?? 'fixed',
    namespace: options.namespace ?? 'public',
    policy: options.policy && checkPolicy(options.policy),
    resolveRefs: checkResolveRefs(options.resolveRefs),
    declassifies: options.declassifies ?? false,
    // What a schema copies is not shared any more.
    sharedInput: (options.sharedInput ?? false) && options.input === undefined,
    memoize: options.memoize ?? true,
    tags: typeof options.tags === 'function' ? options.tags : checkTags(options.tags ?? []),
    invalidates: checkTags(options.invalidates ?? [], 'invalidates'),
    readOnly: options.readOnly,
    idempotent: options.idempotent ?? false,
    retry: retryPolicy(options),
    executor: options.executor,
    run: checkRun(options),
    maxConcurrentTasks:
      options.maxConcurrentTasks === undefined
        ? undefined
        : checkCount(options.maxConcurrentTasks, 'maxConcurrentTasks'),
    preview: options.preview && checkPreview(options.preview),
    projection: options.projection,
    verbatim: options.verbatim ?? false,
    responseFormat:
      checkChoice(options.responseFormat, ['minimal', 'standard', 'full'], 'responseFormat') ?? 'standard',
    input: options.input as StandardSchema<unknown> | undefined,
    inputJsonSchema: options.inputJsonSchema,
    outputSchema: options.outputSchema,
  }
}

function checkRun({ name, run, executor }: Pick<ToolOptions, 'name' | 'run' | 'executor'>) {
  if (run === undefined) return undefined
  const isModule = run?.module instanceof URL || (typeof run?.module === 'string' && run.module !== '')
  if (!isModule || typeof run.export !== 'string') {
    throw new InvalidArgument(
      `The \`run\` of tool '${name}' says where its handler is: { module: new URL('./tools.js', import.meta.url), export: 'name' }.`,
    )
  }
  if (executor !== undefined) return run
  throw new InvalidArgument(
    `Tool '${name}' says with \`run\` where its handler is, but names no \`executor\` that runs it there.`,
  )
}

function checkTtl(ttl: Duration | null | undefined): Duration | null | undefined {
  if (ttl !== undefined) toLimit(ttl, 'ttl')
  return ttl
}

/** @throws InvalidArgument */
export function checkTags(tags: readonly string[], what = 'tags'): readonly string[] {
  const areTexts =
    Array.isArray(tags) && tags.every(tag => typeof tag === 'string' && /^.{1,256}$/su.test(tag))
  if (areTexts && tags.length <= 100) return [...tags]
  throw new InvalidArgument(`${what} is a list of at most 100 texts of 1 to 256 characters.`)
}
