import { type Actor, describeActor, toActor } from '../../access/actor.ts'
import type { Guarded } from '../../access/authorize.ts'
import { Permission } from '../../access/permission.ts'
import { waitWithin } from '../../core/answer-limits.ts'
import { mayHoldReferences } from '../../core/input.ts'
import { createRefId, type RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import { Signal } from '../../core/signal.ts'
import type { Tool } from '../../core/tool.ts'
import { isCallHeard } from '../../telemetry/channels.ts'
import type { Engine } from '../engine.ts'
import { limitsFor } from '../read/limits.ts'
import type { Ticket } from '../run/queue.ts'
import { call } from './call.ts'
import { plainCallKey, policyFor } from './draft.ts'
import type { CallOptions } from './options.ts'
import type { Passing } from './passing-calls.ts'
import { aloneOn, type Run, type WriteEnd } from './shared-runs.ts'

/** Time limits that are shorter count from the first moment on. */
const SHORTEST_LIMIT_MS = 1_000

/** A call that an adapter passes on itself: its work is under way, and nothing has needed its entry yet. */
export interface PassingCall {
  /** Whether an answer with so many bytes of JSON may go to the caller as it is. Else the call has to enter the flow. */
  mayAnswer(jsonBytes: number): boolean
  /** It has its answer, or is not wanted any more. Twice is safe. */
  end(how?: 'stopped'): void
  /**
   * Makes the call that it always was. What `local` gives is what the handler goes on with.
   * @throws as the call itself
   */
  enter(more: Pick<CallOptions, 'local' | 'signal' | 'onProgress'>): Promise<CallResponse>
}

/**
 * Lets a call pass without an entry: it takes its place in the queue, and the adapter begins its work. Undefined where something
 * needs the entry from the start.
 * @param options of the call, which has to be one that is claimed late
 * @param need called when something comes to need the entry: the adapter then calls `enter`, at once
 */
export function pass(
  engine: Engine,
  tool: Tool,
  input: unknown,
  options: CallOptions,
  need: () => void,
): PassingCall | undefined {
  if (!isPlain(engine, tool, options) || mayHoldReferences(input, tool.resolveRefs)) return undefined
  const who = toActor(options.actor)
  const guarded = resultOf(engine, tool, options, who)
  if (!guarded) return undefined
  const call = new CallWithoutEntry(engine, tool, { input, options, who, guarded, need })
  if (call.hasSame()) return undefined
  return call.begin() ? call : undefined
}

/** Whether the call runs as any call does: here, at once, unseen by audit and listeners, and for its caller alone. */
function isPlain(engine: Engine, tool: Tool, options: CallOptions): boolean {
  return (
    options.claim === 'late' &&
    !(options.memoize ?? tool.memoize) &&
    !options.fresh &&
    !options.asReference &&
    options.responseFormat === undefined &&
    options.policy === undefined &&
    tool.input === undefined &&
    Math.min(tool.asyncTimeout ?? Infinity, tool.hardTimeout ?? Infinity) >= SHORTEST_LIMIT_MS &&
    tool.invalidates.length === 0 &&
    tool.executor === undefined &&
    !engine.dispatcher.shared &&
    engine.audit === undefined &&
    engine.events.isUnheard &&
    !isCallHeard() &&
    engine.clock.hasAgreed &&
    !engine.closing.aborted
  )
}

/** What access to the result goes by. Undefined where the caller may not see it, or may not call: the flow says so. */
function resultOf(engine: Engine, tool: Tool, options: CallOptions, who: Actor): Guarded | undefined {
  const namespace = options.namespace ?? tool.namespace
  try {
    engine.access.enter(namespace, who, 'call')
  } catch {
    return undefined
  }
  const policy = policyFor(engine, namespace, tool.policy)
  const guarded = { namespace, policy, startedBy: describeActor(who), toolName: tool.name }
  return engine.access.may(guarded, who, Permission.READ) ? guarded : undefined
}

interface Call {
  readonly input: unknown
  readonly options: CallOptions
  readonly who: Actor
  readonly guarded: Guarded
  readonly need: () => void
}

class CallWithoutEntry implements PassingCall, Passing {
  #ticket: Ticket | undefined
  #endWrite: WriteEnd = () => {}
  /** No call follows it that is made after a write. */
  readonly #writesSeen: number
  #begunAt = 0
  #callKey: { readonly key: string | undefined } | undefined

  constructor(
    private readonly engine: Engine,
    private readonly tool: Tool,
    private readonly call: Call,
  ) {
    this.#writesSeen = engine.sharedRuns.moment
  }

  get toolName(): string {
    return this.tool.name
  }

  get namespace(): string {
    return this.call.guarded.namespace
  }

  /** Made when it is first asked for: mostly there is no other call. */
  get callKey(): string | undefined {
    this.#callKey ??= { key: callKeyOf(this.engine, this.tool, this.call) }
    return this.#callKey.key
  }

  /** Whether there is a run that this call follows instead of running itself. */
  hasSame(): boolean {
    const { sharedRuns, passing } = this.engine
    if (!this.tool.readOnly || !(sharedRuns.hasOpen || passing.has(this.toolName))) return false
    const { callKey } = this
    if (callKey === undefined) return false
    return sharedRuns.has(callKey) || passing.needSame(this.toolName, callKey)
  }

  /** False where its turn is not now. */
  begin(): boolean {
    const { queue, clock, passing, sharedRuns } = this.engine
    const ticket = queue.enter(this.tool.name, this.tool.maxConcurrentTasks)
    if (!ticket?.mayRun) {
      ticket?.leave()
      return false
    }
    this.#ticket = ticket
    if (this.tool.readOnly === false) this.#endWrite = sharedRuns.beginWrite()
    this.#begunAt = clock.monotonic()
    passing.add(this)
    return true
  }

  need(): void {
    this.call.need()
  }

  mayAnswer(jsonBytes: number): boolean {
    const { who, guarded } = this.call
    return jsonBytes <= this.#mostBytes && this.engine.access.may(guarded, who, Permission.READ)
  }

  /** A text has at most as many tokens, characters and lines as bytes. */
  get #mostBytes(): number {
    const { preview, fullLimitBytes } = this.engine.settings
    const { limits } = this.call.options
    if (!limits) return this.tool.preview?.maxSize ?? preview.maxSize
    const { inline } = limitsFor(limits, this.tool.preview)
    const { tokens = fullLimitBytes, characters = fullLimitBytes, lines = fullLimitBytes } = inline
    return Math.min(tokens, characters, lines, fullLimitBytes)
  }

  end(how?: 'stopped'): void {
    this.#ticket?.leave()
    this.#ticket = undefined
    this.engine.passing.delete(this)
    this.#endWrite(how)
  }

  enter(more: Pick<CallOptions, 'local' | 'signal' | 'onProgress'>): Promise<CallResponse> {
    const { engine, tool } = this
    const { input, options } = this.call
    const ticket = this.#ticket
    // It has been answered, and the answer did not arrive.
    if (!ticket) return call(engine, tool, input, { ...options, ...more })
    const elapsed = engine.clock.monotonic() - this.#begunAt
    const wait = waitWithin(tool.asyncTimeout, options.limits)
    const left = wait === undefined ? undefined : Math.max(1, wait - elapsed)
    const whole = { ...options, ...more, asyncTimeout: left }
    this.#ticket = undefined
    const refId = createRefId(engine.name, engine.random)
    const run = this.#runAs(refId)
    const claimed = new Signal()
    run.stored = claimed.next()
    const onClaimed = () => {
      engine.passing.delete(this)
      claimed.notify()
    }
    const answer = call(engine, tool, input, whole, { refId, ticket, run, elapsed, onClaimed })
    // By now the call itself says that it writes.
    this.#endWrite()
    return answer
  }

  /** From now on identical calls find its run, and wait for its entry. */
  #runAs(refId: RefId): Run {
    const { callKey } = this
    return callKey === undefined
      ? aloneOn(refId)
      : this.engine.sharedRuns.begin(callKey, refId, this.#writesSeen)
  }
}

function callKeyOf(engine: Engine, tool: Tool, { input, options, guarded }: Call): string | undefined {
  const { namespace, policy, startedBy } = guarded
  return plainCallKey(engine, tool, input, options, { namespace, policy, startedBy })
}
