import type { Namespace } from '../access/namespace.ts'
import { type AccessPolicy, checkPolicy } from '../access/policy.ts'
import { type Duration, toLimit, toMilliseconds, toPositiveMilliseconds } from './duration.ts'
import type { MadeOf, PreviewSettings } from './entry.ts'
import { InvalidArgument } from './errors.ts'
import { checkHandler, type Handler } from './handler.ts'
import { checkResolveRefs, type ResolveRefs } from './input.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { checkChoice, checkCount, checkNames, checkPreview } from './options.ts'
import type { RefId } from './ref.ts'
import { type RetryPolicy, retryPolicy } from './retry-policy.ts'
import type { StandardSchema } from './standard-schema.ts'
import {
  type HandlerPlace,
  type ResponseFormat,
  TOOL_OPTIONS,
  type ToolOptions,
  type TtlMode,
} from './tool-options.ts'

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

export function defineTool<Input, Output, Parsed>(
  options: ToolOptions<Input, Parsed>,
  handler: Handler<Parsed, Output>,
): Tool {
  if (typeof options.name !== 'string' || options.name === '' || options.name.length > 256) {
    throw new InvalidArgument('A tool needs a name of 1 to 256 characters.')
  }
  checkNames<object>(options, TOOL_OPTIONS, `Tool '${options.name}'`)
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
