import type { AnswerLimits } from '../../core/answer-limits.ts'
import { systemClock } from '../../core/clock.ts'
import { CircularReference, NotSerializable, TaskFailed } from '../../core/errors.ts'
import type { TaskContext } from '../../core/handler.ts'
import { referencesIn } from '../../core/input.ts'
import type { JsonObject, JsonValue } from '../../core/json.ts'
import { givenOptions } from '../../core/options.ts'
import type { CallResponse } from '../../core/response.ts'
import type { CachedTool, CallOptions } from '../../flow/call/options.ts'
import type { RefCache } from '../../ref-cache.ts'
import { isWorthMentioning } from '../age.ts'
import { type SplitArguments, splitArguments } from '../arguments.ts'
import { cachingDefaults, checked, projectionFor } from '../caching.ts'
import type { Caller } from '../identity.ts'
import { present } from '../present.ts'
import { declaresArgument } from '../schema.ts'
import { placeCall, scopingOf } from '../scoping.ts'
import type { ProgramOptions, ProgramToolOptions } from './options.ts'
import type { Reference } from './reference.ts'

/** A tool's work: gets its input with values in the places of references. */
export type ProgramWork = (input: JsonValue, task: TaskContext) => unknown

/** A tool of the program, free of its SDK. */
export interface ProgramToolDefinition {
  readonly name: string
  /** JSON Schema of its arguments, as its author wrote them. */
  readonly inputSchema: () => JsonObject | Promise<JsonObject>
  readonly hints?: { readonly readOnlyHint?: boolean; readonly idempotentHint?: boolean } | undefined
  /** Its work where no call of this process began it: after a retry by hand, or in another process. Absent: it is not run then. */
  readonly rerun?: ProgramWork | undefined
}

/** One call of it. */
export interface ProgramCall extends Omit<SplitArguments, 'own'> {
  readonly input: unknown
  readonly caller: Caller
  readonly work: ProgramWork
  readonly signal?: AbortSignal | undefined
  /** What the tool's author shows the model of its result may be small although the result is not. */
  readonly isSmallToModel?: ((result: unknown) => Promise<boolean>) | undefined
}

/** What a call gives: the tool's own result, or a reference in its place. */
export type ProgramAnswer =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'reference'; readonly reference: Reference }

/** A tool of an agent's own program, whose calls go through the cache. */
export class ProgramTool {
  readonly #registered: Promise<Registered>

  constructor(
    private readonly cache: RefCache,
    private readonly definition: ProgramToolDefinition,
    private readonly all: ProgramOptions,
    private readonly own: ProgramToolOptions,
    private readonly limits: AnswerLimits,
  ) {
    this.#registered = this.#register()
    // What is wrong with its schema is told to whoever calls it.
    this.#registered.catch(() => {})
  }

  /** What is the tool's own among the arguments, and what is ours. */
  async split(args: unknown): Promise<SplitArguments> {
    const { schema } = await this.#registered
    return splitArguments(args, name => declaresArgument(schema, name))
  }

  /** Whether there is something to fill in before the tool can work. */
  holdsReferences(input: unknown): boolean {
    return referencesIn(this.cache.name, input, this.own.resolveRefs).length > 0
  }

  /** @throws what the work threw; the signal's reason when the program gives the call up */
  async call(asked: ProgramCall): Promise<ProgramAnswer> {
    const run = new OwnRun(asked.work)
    const { call } = await this.#registered
    try {
      const response = await call(asked.input, {
        ...this.#callOptions(asked, run),
        limits: this.limits,
        responseFormat: asked.responseFormat,
        asReference: asked.asReference,
        claim: 'late',
      })
      asked.signal?.throwIfAborted()
      const result = await this.#resultIn(response, run, asked)
      return result ?? { kind: 'reference', reference: referenceTo(response, this.limits) }
    } catch (error) {
      if (!run.given || !isNotJson(error)) throw error
      // What JSON cannot hold is for the program alone, which has it.
      return { kind: 'result', result: run.given.result }
    }
  }

  /** Calls it for the program, which waits for all of the result. @throws as `call` */
  async value(asked: ProgramCall): Promise<unknown> {
    const run = new OwnRun(asked.work)
    const { call } = await this.#registered
    const value = await call.value(asked.input, this.#callOptions(asked, run))
    return run.given ? run.given.result : value
  }

  async #resultIn(
    response: CallResponse,
    run: OwnRun,
    { isSmallToModel }: ProgramCall,
  ): Promise<ProgramAnswer | undefined> {
    const shown = response.status === 'complete' ? response : response.errorValue
    if (!shown || response.status === 'cancelled' || shown.isReference) return undefined
    // The program gets what the tool gave, not what JSON keeps of it.
    const { given } = run
    const cachedAt = response.status === 'complete' ? response.cachedAt : undefined
    if (cachedAt && isWorthMentioning(cachedAt, systemClock.now())) return undefined
    if (shown.isComplete) return { kind: 'result', result: given ? given.result : shown.value }
    const isSmall = given !== undefined && (await isSmallToModel?.(given.result))
    return isSmall ? { kind: 'result', result: given.result } : undefined
  }

  #callOptions({ caller, fresh, signal }: ProgramCall, run: OwnRun): CallOptions {
    return {
      actor: caller.actor,
      fresh,
      signal,
      // Whoever gives the call up wants its work no more, unless somebody else waits for it.
      cancelsWork: true,
      local: () => run,
      ...placeCall(scopingOf(this.own, this.all), caller),
    }
  }

  async #register(): Promise<Registered> {
    const { name, inputSchema, hints, rerun } = this.definition
    const schema = await inputSchema()
    const { namespaceTemplate, ownerTemplate, sessionScoped, namespace, ...caching } = givenOptions(this.own)
    const { asyncTimeout } = this.all
    const call = this.cache.cached<unknown>(
      {
        ...cachingDefaults(hints),
        projection: projectionFor(undefined),
        ...(asyncTimeout === undefined ? {} : { asyncTimeout }),
        ...caching,
        name,
        inputJsonSchema: schema,
      },
      checked((input, task, local) => {
        if (local instanceof OwnRun) return local.start(input as JsonValue, task)
        if (rerun) return rerun(input as JsonValue, task)
        throw new TaskFailed('The request that this call belonged to is over. Call the tool again.')
      }, undefined),
    )
    return { schema, call: call as CachedTool<unknown> }
  }
}

function isNotJson(error: unknown): boolean {
  return error instanceof NotSerializable || error instanceof CircularReference
}

interface Registered {
  readonly schema: JsonObject
  readonly call: CachedTool<unknown>
}

/** The work of one call, and what it gave, where it was this call that ran it. */
class OwnRun {
  given: { readonly result: unknown } | undefined

  constructor(private readonly work: ProgramWork) {}

  async start(input: JsonValue, task: TaskContext): Promise<unknown> {
    this.given = undefined
    const result = await this.work(input, task)
    this.given = { result }
    return result
  }
}

function referenceTo(response: CallResponse, limits: AnswerLimits): Reference {
  const { structuredContent } = present(response, { limits })
  return structuredContent as JsonObject & Reference
}
