import type { Attributes, Context, SpanContext } from '@opentelemetry/api'
import type { RefId } from '../../core/ref.ts'
import { channels } from '../channels.ts'
import type { AttemptMessage, CallMessage, EventMessage, QuestionMessage, TaskMessage } from '../messages.ts'
import { errorTypeOf, nameOf } from './disclosure.ts'
import type { Subscriptions } from './listen.ts'
import type { Metrics } from './metrics.ts'
import { ATTRIBUTES, SPAN_EVENTS, SPANS, VALUES } from './names.ts'
import type { Spans } from './spans.ts'

/** So many runs can be linked from calls that come later. */
const MOST_RUNS = 10_000

/** A task of this process. */
interface Origin {
  /** In which it began: that of its call, where there is one. */
  readonly context: Context
  readonly begunAt: number
  hasRun: boolean
}

/**
 * Calls, and the tasks that they start or follow. An attempt belongs to the trace of the call that began its task and is linked to it,
 * since it may outlive it. A call that joins a run or hits its result is linked to that run.
 */
export class Tasks {
  readonly #origins = new Map<RefId, Origin>()
  /** The newest attempt of each task, oldest first. */
  readonly #runs = new Map<RefId, SpanContext>()

  constructor(
    private readonly spans: Spans,
    private readonly metrics: Metrics,
  ) {}

  follow(subscriptions: Subscriptions): void {
    subscriptions.traces(channels.call, {
      begin: message => this.#beginCall(message),
      finish: message => this.#endCall(message),
    })
    subscriptions.messages(channels.task, message => this.#task(message))
    subscriptions.traces(channels.attempt, {
      begin: message => this.#beginAttempt(message),
      finish: (message, ms) => this.#endAttempt(message, ms),
    })
    subscriptions.traces(channels.question, {
      begin: message => this.#question(message, SPAN_EVENTS.asked),
      finish: (message, ms) => {
        this.#question(message, SPAN_EVENTS.answered)
        this.metrics.took('questionDuration', ms, { [ATTRIBUTES.method]: message.method })
      },
    })
    subscriptions.messages(channels.event, message => this.#event(message))
    subscriptions.messages(channels.missedBeat, ({ cache }) => this.metrics.missedBeat(cache))
    subscriptions.messages(channels.savings, message => this.metrics.saved(message))
  }

  /** The newest run of a task that this process knows. */
  runOf(refId: RefId): SpanContext | undefined {
    return this.#runs.get(refId)
  }

  readonly #ofCalls = new WeakMap<
    CallMessage,
    { setAttributes(attributes: Attributes): unknown; addLink?: AddLink }
  >()

  #beginCall(message: CallMessage): void {
    const { spans } = this
    const around = spans.takeSpanOfCall(message)
    if (around) {
      this.#ofCalls.set(message, around)
      return
    }
    const span = spans.begin(message, SPANS.call(nameOf(message.tool)), {
      attributes: {
        [ATTRIBUTES.operation]: VALUES.executeTool,
        [ATTRIBUTES.tool]: nameOf(message.tool),
        ...spans.disclosure.arguments(message.input),
      },
    })
    this.#ofCalls.set(message, span)
  }

  #endCall(message: CallMessage): void {
    const { cache, tool, refId, outcome, result } = message
    const span = this.#ofCalls.get(message)
    const run = outcome === 'won' || refId === undefined ? undefined : this.#runs.get(refId)
    if (run) span?.addLink?.({ context: run })
    span?.setAttributes({
      [ATTRIBUTES.cache]: cache,
      ...this.spans.disclosure.reference(refId),
      ...(outcome === undefined ? {} : { [ATTRIBUTES.outcome]: outcome }),
      ...standingOf(result),
    })
    this.spans.end(message, this.spans.disclosure.result(result))
    const refused = 'error' in message ? { [ATTRIBUTES.errorType]: errorTypeOf(message.error) } : {}
    const series = { [ATTRIBUTES.cache]: cache, ...this.metrics.tool(tool) }
    this.metrics.called(outcome ?? 'refused', { ...series, ...refused })
  }

  #task({ cache, tool, refId, state }: TaskMessage): void {
    const about = { [ATTRIBUTES.cache]: cache, ...this.metrics.tool(tool) }
    if (state === 'begun') {
      const { active } = this.spans
      this.#origins.set(refId, { context: active, begunAt: performance.now(), hasRun: false })
      this.metrics.live(1, about)
    } else if (this.#origins.delete(refId)) this.metrics.live(-1, about)
  }

  #beginAttempt(message: AttemptMessage): void {
    const { refId, cache, tool, attempt } = message
    const { spans } = this
    const origin = this.#origins.get(refId)
    const parent = origin?.context ?? spans.active
    if (origin && !origin.hasRun) {
      origin.hasRun = true
      this.metrics.took('wait', performance.now() - origin.begunAt, this.metrics.tool(tool))
    }
    const span = spans.begin(message, SPANS.attempt(nameOf(tool)), {
      parent,
      links: [spans.spanContextOf(parent), this.#runs.get(refId)],
      attributes: {
        [ATTRIBUTES.cache]: cache,
        [ATTRIBUTES.tool]: nameOf(tool),
        [ATTRIBUTES.attempt]: attempt,
        ...spans.disclosure.reference(refId),
      },
    })
    this.#remember(refId, span.spanContext())
  }

  #remember(refId: RefId, run: SpanContext): void {
    this.#runs.delete(refId)
    this.#runs.set(refId, run)
    const [oldest] = this.#runs.keys()
    if (this.#runs.size > MOST_RUNS && oldest !== undefined) this.#runs.delete(oldest)
  }

  #endAttempt(message: AttemptMessage, ms: number): void {
    const { tool, result } = message
    const { valueBytes } = result ?? {}
    const series = this.metrics.tool(tool)
    const failed = 'error' in message ? { [ATTRIBUTES.errorType]: errorTypeOf(message.error) } : {}
    this.spans.end(message, valueBytes === undefined ? {} : { [ATTRIBUTES.valueBytes]: valueBytes })
    this.metrics.took('attemptDuration', ms, { ...series, ...failed })
    if (valueBytes !== undefined) this.metrics.made(valueBytes, series)
  }

  #question({ method }: QuestionMessage, event: string): void {
    this.spans.activeSpan?.addEvent(event, { [ATTRIBUTES.method]: method })
  }

  #event({ cache, event }: EventMessage): void {
    this.metrics.happened(cache, event)
    if (event.type === 'entry:deleted' && event.refId !== undefined) this.#runs.delete(event.refId)
  }
}

/** As of a span of 1.9 and later. */
type AddLink = (link: { context: SpanContext }) => unknown

/** How an answer stands. The value that a program was given says nothing of that. */
function standingOf(result: unknown): Attributes {
  if (typeof result !== 'object' || result === null || !('refId' in result && 'status' in result)) return {}
  const { status, isComplete } = result as { status: unknown; isComplete?: unknown }
  return {
    [ATTRIBUTES.status]: String(status),
    ...(typeof isComplete === 'boolean' ? { [ATTRIBUTES.isComplete]: isComplete } : {}),
  }
}
