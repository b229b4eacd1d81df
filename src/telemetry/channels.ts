import { AsyncResource } from 'node:async_hooks'
import { channel, type TracingChannel, tracingChannel } from 'node:diagnostics_channel'
import type {
  AnnounceMessage,
  AttemptMessage,
  CallMessage,
  ClientRequestMessage,
  EventMessage,
  MissedBeatMessage,
  QueryMessage,
  QuestionMessage,
  RenderMessage,
  SavingsMessage,
  ServerRequestMessage,
  StoreMessage,
  SweepMessage,
  TakeMessage,
  TaskMessage,
  Traced,
} from './messages.ts'

/** A channel of single messages. */
export interface MessageChannel<Message> {
  readonly name: string | symbol
  readonly hasSubscribers: boolean
  publish(message: Message): void
  subscribe(onMessage: (message: Message) => void): void
  unsubscribe(onMessage: (message: Message) => void): boolean
}

/** A channel of what takes time: `tracingChannel` of `node:diagnostics_channel`. */
export type TraceChannel<Message extends Traced> = TracingChannel<unknown, Message>

function tracing<Message extends Traced>(name: string): TraceChannel<Message> {
  return tracingChannel<unknown, Message>(`mcp-refcache:${name}`)
}

function messages<Message>(name: string): MessageChannel<Message> {
  return channel(`mcp-refcache:${name}`) as unknown as MessageChannel<Message>
}

/** All that can be heard of the caches of a process. What the messages hold stands in `messages.ts`. */
export const channels = {
  serverRequest: tracing<ServerRequestMessage>('server-request'),
  clientRequest: tracing<ClientRequestMessage>('client-request'),
  call: tracing<CallMessage>('call'),
  attempt: tracing<AttemptMessage>('attempt'),
  store: tracing<StoreMessage>('store'),
  render: tracing<RenderMessage>('render'),
  query: tracing<QueryMessage>('query'),
  question: tracing<QuestionMessage>('question'),
  sweep: tracing<SweepMessage>('sweep'),
  take: tracing<TakeMessage>('take'),
  announce: messages<AnnounceMessage>('announce'),
  task: messages<TaskMessage>('task'),
  event: messages<EventMessage>('event'),
  savings: messages<SavingsMessage>('savings'),
  missedBeat: messages<MissedBeatMessage>('missed-beat'),
}

/** Whether somebody listens. Asked first, so that nothing is made for nobody. */
export function isHeard(of: AnyTraceChannel): boolean {
  return of.hasSubscribers ?? hearsAnyOf(of)
}

/** A channel of what takes time, as much of it as says whether it is heard. */
interface AnyTraceChannel
  extends Record<
    'start' | 'end' | 'asyncStart' | 'asyncEnd' | 'error',
    { readonly hasSubscribers: boolean }
  > {
  readonly hasSubscribers?: boolean
}

/** Node before 20.13 says it of the five alone. */
function hearsAnyOf({ start, end, asyncStart, asyncEnd, error }: AnyTraceChannel): boolean {
  return [start, end, asyncStart, asyncEnd, error].some(one => one.hasSubscribers)
}

/** Whether somebody listens to what one call says. It asks each of these channels once, in the place of each message. */
export function isCallHeard(): boolean {
  const { serverRequest, clientRequest, call, attempt, render, task, event, savings } = channels
  return (
    [serverRequest, clientRequest, call, attempt, render].some(isHeard) ||
    [task, event, savings].some(one => one.hasSubscribers)
  )
}

/** The callback as if it were called from here: a span that is active here is active in it. */
export function inThisContext<Args extends unknown[]>(
  callback: (...args: Args) => void,
): (...args: Args) => void {
  return AsyncResource.bind(callback)
}

/** Runs work that somebody hears of. Ask `isHeard` before you make the message. */
export function trace<Message extends Traced, Result>(
  of: TraceChannel<Message>,
  message: Message,
  work: () => Promise<Result>,
): Promise<Result> {
  return of.tracePromise(() => (message.around ? message.around(work) : work()), message)
}
