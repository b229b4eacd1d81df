import type { MeterProvider, TracerProvider } from '@opentelemetry/api'
import { InvalidArgument } from '../../core/errors.ts'
import { checkNames, type Names } from '../../core/options.ts'
import { type Api, loadApi } from './api.ts'
import { CAPTURED, type Captured, Disclosure } from './disclosure.ts'
import { Subscriptions } from './listen.ts'
import { Metrics } from './metrics.ts'
import { followRequests } from './requests.ts'
import { Spans } from './spans.ts'
import { Tasks } from './tasks.ts'
import { followStore, followValues } from './values.ts'

/** Options of `instrument`. */
export interface InstrumentOptions {
  /** @defaultValue the one that is registered with `@opentelemetry/api`, now or later */
  tracerProvider?: TracerProvider | undefined
  /** @defaultValue the one that is registered with `@opentelemetry/api` by now */
  meterProvider?: MeterProvider | undefined
  /** Whether each operation of the store within a trace has a span. @defaultValue false */
  storeSpans?: boolean | undefined
  /**
   * What may leave the process in spans, beyond names, numbers and digests: the arguments and results of tools, the texts of errors, and
   * references, by which whoever may read them can. @defaultValue nothing
   */
  capture?: readonly Captured[] | undefined
}

/** What `instrument` gives. */
export interface Instrumentation {
  /** Makes no more spans and metrics. What is open is not ended. */
  end(): void
  /** Has the providers export what they hold, before a process ends by `process.exit`. What fails there is the provider's to tell. */
  flush(): Promise<void>
  /** Whether an SDK is there to export spans. */
  readonly isExporting: boolean
}

const OPTIONS: Names<InstrumentOptions> = {
  tracerProvider: true,
  meterProvider: true,
  storeSpans: true,
  capture: true,
}

const SCOPE = 'mcp-refcache'

/** By the process, not by the module: the command has a copy of its own, and a second set of spans would count all twice. */
const ACTIVE = Symbol.for('mcp-refcache.instrumentation')
const globals = globalThis as { [ACTIVE]?: Instrumentation | undefined }

/** Whether what caches do is instrumented in this process, by any copy of this package. */
export function isInstrumented(): boolean {
  return globals[ACTIVE] !== undefined
}

/**
 * Makes spans and metrics of OpenTelemetry of what all caches of this process do, by the semantic conventions for MCP, and carries the
 * trace of a request on: from its client into handlers and to the server behind `wrap`.
 *
 * @throws InvalidArgument where `@opentelemetry/api` is not installed, for an option that there is not, and where the process is
 *   instrumented already
 */
export async function instrument(options: InstrumentOptions = {}): Promise<Instrumentation> {
  checkNames(options, OPTIONS, '`instrument`')
  const captured = checkCaptured(options.capture)
  const api = await loadApi()
  if (isInstrumented()) {
    throw new InvalidArgument(
      'This process is instrumented already. `end()` that first, or leave this one out.',
    )
  }
  const subscriptions = new Subscriptions(error =>
    api.diag.error('mcp-refcache: a message could not be traced', error),
  )
  begin(api, subscriptions, new Disclosure(captured), options)
  const instrumentation: Instrumentation = {
    end() {
      subscriptions.end()
      if (globals[ACTIVE] === instrumentation) globals[ACTIVE] = undefined
    },
    async flush() {
      const { tracerProvider = registeredIn(api), meterProvider = api.metrics.getMeterProvider() } = options
      await Promise.allSettled([tracerProvider, meterProvider].map(flush))
    },
    get isExporting() {
      return (options.tracerProvider ?? registeredIn(api)) !== new api.ProxyTracerProvider().getDelegate()
    },
  }
  globals[ACTIVE] = instrumentation
  return instrumentation
}

/** The provider behind the one that the API hands out; that of nothing, where none was registered. */
function registeredIn(api: Api): TracerProvider {
  const provider = api.trace.getTracerProvider()
  return provider instanceof api.ProxyTracerProvider ? provider.getDelegate() : provider
}

/** The API knows no way to do this: providers of an SDK do. */
async function flush(provider: object): Promise<void> {
  const { forceFlush } = provider as { forceFlush?: unknown }
  if (typeof forceFlush === 'function') await forceFlush.call(provider)
}

function begin(
  api: Api,
  subscriptions: Subscriptions,
  disclosure: Disclosure,
  { tracerProvider = api.trace, meterProvider = api.metrics, storeSpans = false }: InstrumentOptions,
): void {
  const spans = new Spans(api, tracerProvider.getTracer(SCOPE), disclosure)
  const metrics = new Metrics(meterProvider.getMeter(SCOPE))
  const tasks = new Tasks(spans, metrics)
  followRequests(subscriptions, spans, metrics)
  tasks.follow(subscriptions)
  followValues(subscriptions, spans, metrics, tasks)
  followStore(subscriptions, spans, metrics, storeSpans)
}

function checkCaptured(capture: readonly Captured[] = []): ReadonlySet<Captured> {
  const unknown = capture.find(one => !CAPTURED.includes(one))
  if (unknown === undefined) return new Set(capture)
  throw new InvalidArgument(`There is no '${unknown}' to capture: it is any of ${CAPTURED.join(', ')}.`)
}
