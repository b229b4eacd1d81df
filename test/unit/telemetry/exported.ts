import { context, propagation } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { type InstrumentOptions, instrument } from '../../../src/telemetry/otel/instrument.ts'

/** The SDK of OpenTelemetry with exporters in memory, and what they are given of a process that is instrumented. */
export class Exported {
  readonly #spans = new InMemorySpanExporter()
  readonly #metrics = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  readonly tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(this.#spans)],
  })
  readonly #reader = new PeriodicExportingMetricReader({
    exporter: this.#metrics,
    exportIntervalMillis: 3_600_000,
  })
  readonly meterProvider = new MeterProvider({ readers: [this.#reader] })
  #end = () => {}

  async begin(options: InstrumentOptions = {}): Promise<void> {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    propagation.setGlobalPropagator(
      new CompositePropagator({
        propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
      }),
    )
    const { tracerProvider, meterProvider } = this
    const instrumentation = await instrument({ tracerProvider, meterProvider, ...options })
    this.#end = () => instrumentation.end()
  }

  /** Tests share their process: what was global is put back. */
  async end(): Promise<void> {
    this.#end()
    context.disable()
    propagation.disable()
    await this.tracerProvider.shutdown()
    await this.meterProvider.shutdown()
  }

  get spans(): ReadableSpan[] {
    return this.#spans.getFinishedSpans()
  }

  named(name: string): ReadableSpan[] {
    return this.spans.filter(span => span.name === name)
  }

  /** The one span of that name. */
  one(name: string): ReadableSpan {
    const [span, ...others] = this.named(name)
    if (span && others.length === 0) return span
    throw new Error(
      `There are ${others.length + (span ? 1 : 0)} of '${name}' among ${this.spans.map(s => s.name)}`,
    )
  }

  /** All points of a metric: their attributes and what they count. */
  async points(name: string) {
    await this.#reader.forceFlush()
    const last = this.#metrics.getMetrics().at(-1)
    return (last?.scopeMetrics ?? [])
      .flatMap(({ metrics }) => metrics)
      .filter(({ descriptor }) => descriptor.name === name)
      .flatMap(({ dataPoints }) => dataPoints.map(({ attributes, value }) => ({ attributes, value })))
  }

  /** All that was exported, as one text. */
  async everything(): Promise<string> {
    await this.#reader.forceFlush()
    const spans = this.spans.map(({ name, attributes, events, links, status, resource }) => ({
      ...{ name, attributes, events, status, resource: resource.attributes },
      links: links.map(link => ({ ...link, state: link.context.traceState?.serialize() })),
    }))
    return JSON.stringify([spans, this.#metrics.getMetrics()])
  }
}

/** Whether a span is linked to another one. */
export function isLinked(from: ReadableSpan, to: ReadableSpan): boolean {
  const { spanId, traceId } = to.spanContext()
  return from.links.some(({ context }) => context.spanId === spanId && context.traceId === traceId)
}

export function isChild(child: ReadableSpan, parent: ReadableSpan): boolean {
  const { spanId, traceId } = parent.spanContext()
  return child.parentSpanContext?.spanId === spanId && child.spanContext().traceId === traceId
}
