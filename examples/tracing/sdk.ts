/**
 * The SDK of OpenTelemetry, as a program registers it once and first of all. Here its exporters keep what they get in memory, so that the
 * client can look at it, and the console exporter shows each span. A real program exports over OTLP, and mostly lets
 * `@opentelemetry/auto-instrumentations-node/register` do all of this.
 */
import { context, metrics, propagation, trace } from '@opentelemetry/api'
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
  ConsoleSpanExporter,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
propagation.setGlobalPropagator(
  new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
)

const memory = new InMemorySpanExporter()
const spanProcessors = [memory, new ConsoleSpanExporter()].map(exporter => new SimpleSpanProcessor(exporter))
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }))

const counted = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter: counted, exportIntervalMillis: 60_000 })
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))

/** All spans that have ended. */
export const spans = () => memory.getFinishedSpans()

/** The points of a metric by now. */
export async function pointsOf(name: string) {
  await reader.forceFlush()
  const [latest] = counted.getMetrics().slice(-1)
  const all = (latest?.scopeMetrics ?? []).flatMap(scope => scope.metrics)
  return all.filter(({ descriptor }) => descriptor.name === name).flatMap(metric => [...metric.dataPoints])
}

/** Ends the timer of the reader. */
export const shutdown = () => reader.shutdown()
