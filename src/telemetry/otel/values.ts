import type { Attributes } from '@opentelemetry/api'
import { channels } from '../channels.ts'
import type { Traced } from '../messages.ts'
import { errorTypeOf, nameOf } from './disclosure.ts'
import type { Subscriptions } from './listen.ts'
import type { Metrics } from './metrics.ts'
import { ATTRIBUTES, SPANS } from './names.ts'
import type { Spans } from './spans.ts'
import type { Tasks } from './tasks.ts'

/** What is shown and asked of values. What is shown is linked to the run that made the value. */
export function followValues(
  subscriptions: Subscriptions,
  spans: Spans,
  metrics: Metrics,
  tasks: Tasks,
): void {
  subscriptions.traces(channels.render, {
    begin: message => {
      const { cache, tool, refId, valueBytes } = message
      const attributes = {
        [ATTRIBUTES.cache]: cache,
        [ATTRIBUTES.valueBytes]: valueBytes,
        ...(tool === undefined ? {} : { [ATTRIBUTES.tool]: nameOf(tool) }),
        ...spans.disclosure.reference(refId),
      }
      spans.begin(message, SPANS.render, { attributes, links: [tasks.runOf(refId)] })
    },
    finish: (message, ms) => {
      const { result } = message
      const page = result?.status === 'complete' ? result.page : undefined
      spans.end(message, page === undefined ? {} : { [ATTRIBUTES.page]: page })
      metrics.took('renderDuration', ms, { [ATTRIBUTES.cache]: message.cache, ...failureOf(message) })
    },
  })
  subscriptions.traces(channels.query, {
    begin: message => {
      const { cache, refId, kind, sources } = message
      const attributes = {
        [ATTRIBUTES.cache]: cache,
        [ATTRIBUTES.queryKind]: kind,
        [ATTRIBUTES.querySources]: sources,
        ...spans.disclosure.reference(refId),
      }
      // A question is a call of a tool of ours.
      spans.begin(message, SPANS.query(kind), { attributes, standsFor: 'call' })
    },
    finish: (message, ms) => {
      spans.end(message, {})
      const series = { [ATTRIBUTES.cache]: message.cache, [ATTRIBUTES.queryKind]: message.kind }
      metrics.took('queryDuration', ms, { ...series, ...failureOf(message) })
    },
  })
}

/** What the store does. Its spans are many, so they are made where they were asked for, and never outside of a trace. */
export function followStore(
  subscriptions: Subscriptions,
  spans: Spans,
  metrics: Metrics,
  storeSpans: boolean,
): void {
  subscriptions.traces(channels.store, {
    begin: message => {
      if (!storeSpans || !spans.activeSpan) return
      const { cache, operation } = message
      const attributes = { [ATTRIBUTES.cache]: cache, [ATTRIBUTES.storeOperation]: operation }
      spans.begin(message, SPANS.store(operation), { attributes })
    },
    finish: (message, ms) => {
      spans.end(message, {})
      const series = { [ATTRIBUTES.cache]: message.cache, [ATTRIBUTES.storeOperation]: message.operation }
      metrics.took('storeDuration', ms, { ...series, ...failureOf(message) })
    },
  })
  subscriptions.traces(channels.sweep, {
    finish: (message, ms) => {
      const series = { [ATTRIBUTES.cache]: message.cache, ...failureOf(message) }
      metrics.took('sweepDuration', ms, series)
    },
  })
}

function failureOf(message: Traced): Attributes {
  return 'error' in message ? { [ATTRIBUTES.errorType]: errorTypeOf(message.error) } : {}
}
