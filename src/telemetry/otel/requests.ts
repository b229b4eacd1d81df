import type { Attributes } from '@opentelemetry/api'
import { channels } from '../channels.ts'
import type { AnnounceMessage, ClientRequestMessage, ServerRequestMessage, TakeMessage } from '../messages.ts'
import { errorTypeOf, nameOf, revisionOf } from './disclosure.ts'
import type { Subscriptions } from './listen.ts'
import type { Metrics } from './metrics.ts'
import { ATTRIBUTES, SPANS, VALUES } from './names.ts'
import type { Spans } from './spans.ts'

type Request = ServerRequestMessage | ClientRequestMessage

/** Requests of MCP, in and out, and the trace that they carry. */
export function followRequests(subscriptions: Subscriptions, spans: Spans, metrics: Metrics): void {
  subscriptions.traces(channels.serverRequest, {
    begin: message => beginServed(spans, message),
    finish: (message, ms) => {
      spans.end(message, { ...statusOf(message), ...resultOf(spans, message) }, message.failure)
      metrics.took('serverDuration', ms, seriesOf(metrics, message))
    },
  })
  subscriptions.traces(channels.clientRequest, {
    begin: message => beginAsked(spans, message),
    finish: (message, ms) => {
      spans.end(message, statusOf(message), message.failure)
      metrics.took('clientDuration', ms, seriesOf(metrics, message))
    },
  })
  subscriptions.messages(channels.announce, (message: AnnounceMessage) => {
    message.trace = spans.injected()
  })
  subscriptions.traces(channels.take, {
    begin: (message: TakeMessage) => spans.runIn(message, spans.extracted(message.trace, spans.active)),
    finish() {},
  })
}

/** The client's span is the parent; what was active here before, such as a span of HTTP, is linked. */
function beginServed(spans: Spans, message: ServerRequestMessage): void {
  const { active, api, disclosure } = spans
  const parent = spans.extracted(message.trace, active)
  const ambient = spans.spanContextOf(active)
  const hasClient = spans.spanContextOf(parent) !== ambient
  spans.begin(message, SPANS.request(nameOf(message.method), targetOf(message)), {
    kind: api.SpanKind.SERVER,
    parent,
    links: hasClient ? [ambient] : [],
    standsFor: 'call',
    attributes: {
      ...described(message),
      ...disclosure.session(message.sessionId),
      ...disclosure.arguments(message.arguments),
    },
  })
}

/** The server behind `wrap` hears of this span. */
function beginAsked(spans: Spans, message: ClientRequestMessage): void {
  const span = spans.begin(message, SPANS.request(nameOf(message.method), targetOf(message)), {
    kind: spans.api.SpanKind.CLIENT,
    attributes: described(message),
  })
  message.trace = spans.injected(spans.api.trace.setSpan(spans.active, span))
}

function described(message: Request): Attributes {
  const { method, protocolVersion, transport, requestId } = message
  const tool = shownTool(message)
  return {
    [ATTRIBUTES.method]: nameOf(method),
    [ATTRIBUTES.transport]: transport,
    ...revisionOf(protocolVersion),
    ...(requestId === undefined ? {} : { [ATTRIBUTES.requestId]: nameOf(String(requestId)) }),
    ...(tool === undefined ? {} : { [ATTRIBUTES.tool]: tool, [ATTRIBUTES.operation]: VALUES.executeTool }),
    ...(message.prompt === undefined ? {} : { [ATTRIBUTES.prompt]: nameOf(message.prompt) }),
  }
}

/** A resource is told by its URI alone, which may be private. */
function targetOf(message: Request): string | undefined {
  return message.prompt === undefined ? shownTool(message) : nameOf(message.prompt)
}

function shownTool({ tool }: Request): string | undefined {
  return tool === undefined ? undefined : nameOf(tool)
}

/** What metrics tell requests apart by. */
function seriesOf(metrics: Metrics, message: Request): Attributes {
  const { method, protocolVersion, transport, tool, failure } = message
  const errorType = 'error' in message ? errorTypeOf(message.error) : failure
  return {
    [ATTRIBUTES.method]: nameOf(method),
    [ATTRIBUTES.transport]: transport,
    ...revisionOf(protocolVersion),
    ...(tool === undefined ? {} : { [ATTRIBUTES.operation]: VALUES.executeTool, ...metrics.tool(tool) }),
    ...(errorType === undefined ? {} : { [ATTRIBUTES.errorType]: errorType, ...statusOf(message) }),
  }
}

function statusOf({ failure }: Request): Attributes {
  return failure === undefined || failure === VALUES.toolError ? {} : { [ATTRIBUTES.statusCode]: failure }
}

function resultOf({ disclosure }: Spans, { result, tool }: ServerRequestMessage): Attributes {
  return result === undefined || tool === undefined ? {} : disclosure.result(result)
}
