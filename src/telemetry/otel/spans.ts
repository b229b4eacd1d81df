import type { Attributes, Context, Link, Span, SpanContext, SpanKind, Tracer } from '@opentelemetry/api'
import type { Traced, TraceFields } from '../messages.ts'
import type { Api } from './api.ts'
import { type Disclosure, errorTypeOf, nameOf } from './disclosure.ts'
import { ATTRIBUTES } from './names.ts'

interface Begin {
  readonly kind?: SpanKind
  readonly attributes: Attributes
  readonly parent?: Context
  readonly links?: ReadonlyArray<SpanContext | undefined>
  /** A call within it adds to this span, instead of having one of its own. */
  readonly standsFor?: 'call'
}

/** The spans of messages: each begins and ends with its message, and what runs in between runs inside of it. */
export class Spans {
  readonly #open = new WeakMap<Traced, Span>()
  readonly #forCall: symbol

  constructor(
    readonly api: Api,
    private readonly tracer: Tracer,
    readonly disclosure: Disclosure,
  ) {
    this.#forCall = api.createContextKey('the span that stands for a call of mcp-refcache')
  }

  begin(message: Traced, name: string, options: Begin): Span {
    const { kind = this.api.SpanKind.INTERNAL, attributes, parent = this.active, links = [] } = options
    const linked = links.flatMap((context): Link[] =>
      context && this.api.isSpanContextValid(context) ? [{ context }] : [],
    )
    const span = this.tracer.startSpan(name, { kind, attributes, links: linked }, parent)
    this.#open.set(message, span)
    const inside = this.api.trace.setSpan(parent, span)
    const standsFor = options.standsFor ? span : undefined
    this.runIn(message, inside.setValue(this.#forCall, standsFor))
    return span
  }

  /** What the message is about runs in that context. */
  runIn(message: Traced, context: Context): void {
    const { around } = message
    message.around = work => this.api.context.with(context, () => (around ? around(work) : work()))
  }

  /** The span that stands for the call that begins now. It stands for no other one. */
  takeSpanOfCall(message: Traced): Span | undefined {
    const { active } = this
    const span = active.getValue(this.#forCall) as Span | undefined
    if (!span) return undefined
    this.runIn(message, active.deleteValue(this.#forCall))
    return span
  }

  of(message: Traced): Span | undefined {
    return this.#open.get(message)
  }

  /** Ends the span of a message, with its error where it has one. @param errorType where it failed in another way */
  end(message: Traced, attributes: Attributes, errorType?: string): void {
    const span = this.#open.get(message)
    if (!span) return
    this.#open.delete(message)
    span.setAttributes(attributes)
    if ('error' in message) this.fail(span, errorTypeOf(message.error), message.error)
    else if (errorType !== undefined) this.fail(span, errorType)
    span.end()
  }

  fail(span: Span, errorType: string, error?: unknown): void {
    span.setAttribute(ATTRIBUTES.errorType, nameOf(errorType))
    const message = error === undefined ? undefined : this.disclosure.messageOf(error)
    const code = this.api.SpanStatusCode.ERROR
    span.setStatus(message === undefined ? { code } : { code, message })
  }

  get active(): Context {
    return this.api.context.active()
  }

  get activeSpan(): Span | undefined {
    return this.api.trace.getSpan(this.active)
  }

  /** A context as the fields say, within another one; the same one where they say nothing that can be understood. */
  extracted(fields: TraceFields, within: Context): Context {
    return this.api.propagation.extract(within, fields)
  }

  /** What goes to another process of the context that is active, or of that one. */
  injected(context: Context = this.active): TraceFields {
    const fields: TraceFields = {}
    this.api.propagation.inject(context, fields)
    return fields
  }

  spanContextOf(context: Context): SpanContext | undefined {
    return this.api.trace.getSpanContext(context)
  }
}
