import type { Actor } from '../access/actor.ts'
import { InvalidArgument } from './errors.ts'
import type { JsonObject } from './json.ts'
import type { ElicitParams, ElicitResult } from './question.ts'
import type { RefId } from './ref.ts'
import type { StandardSchema } from './standard-schema.ts'

/** What `task.progress` takes; every part is optional. */
export interface ProgressReport {
  current?: number | undefined
  total?: number | undefined
  message?: string | undefined
}

/** What a handler gets beside its arguments. */
export interface TaskContext {
  readonly refId: RefId
  /** 1 for the first run. */
  readonly attempt: number
  /** Who started the task: in every attempt, whoever joined or retried it. A memoized result was made for its first caller. */
  readonly actor: Actor
  /** Aborts on cancel, on the hard timeout, and when the cache closes; `signal.reason` says which. */
  readonly signal: AbortSignal
  /** Says how far the work is: `progress(3, 50, 'page 3 of 50')`, or `progress({ message: 'indexing' })`. Cheap. */
  progress(current: number, total?: number, message?: string): void
  progress(report: ProgressReport): void
  /**
   * Appends items of a list, or text, to the task's value, for work that produces it in pieces. What is there can be read while the task
   * runs, in every process of the store, and stays when the task fails, is cancelled, or its process is killed. What the handler
   * returns in the end is the last piece: further items or text, or nothing (`undefined`).
   *
   * Await it: it resolves when the next piece may come. Pieces that come faster than every 100 ms are written together. Up to a megabyte is
   * taken at once; a larger piece must not be changed before this resolves. A piece that cannot be appended fails the task, awaited or not.
   * An attempt that runs the handler again begins a new value.
   * @throws InvalidArgument for a mixture of items and text, NotSerializable, CircularReference, ValueTooLarge (the whole value counts),
   *   StoreFull; the signal's reason when it has aborted
   */
  append(piece: readonly unknown[] | string): Promise<void>
  /**
   * Asks the user behind the client, and waits for the answer. The question and its answer are stored: a handler that
   * is run again (after a restart, or a retry) and asks the same things in the same order gets the stored answers
   * at once. So ask in an order that does not depend on chance or time. Waiting for a person counts
   * against the hard timeout. The actor that started the task sees the question, even where it may not see the value.
   * @throws InputUnavailable where the actor that started the task cannot be asked: go another way, or let the task fail
   * @param options `signal` gives the question up: it is withdrawn, and the promise rejects with the signal's reason
   */
  elicit(params: ElicitParams, options?: { signal?: AbortSignal | undefined }): Promise<ElicitResult>
  /**
   * The same, for the client's model: the parameters and the answer of MCP's `sampling/createMessage`.
   * @throws InputUnavailable also where the client refuses
   */
  sample(params: JsonObject, options?: { signal?: AbortSignal | undefined }): Promise<JsonObject>
}

/**
 * A tool's work: gets the input with values in the places of references, and the task that it is.
 * @param local what the call gave that started the run in this process (`CallOptions.local`), else undefined
 */
export type Handler<Input, Output> = (
  input: Input,
  task: TaskContext,
  local?: unknown,
) => Output | Promise<Output>

/** What an adapter has made a handler of. */
export interface Adapted {
  /** The handler as the tool's author gave it. */
  readonly from: object
  /** Checks what it returns. */
  readonly output: StandardSchema<unknown> | undefined
}

/** On the handler itself: over HTTP the tools are registered for every request, and a map of them all costs more than the rest. */
const ADAPTED = Symbol('what the handler was made of')

/** The handler of an adapter's tool: the author's own, held to what the protocol says of results and errors. */
export function adaptHandler<Given extends object, Input, Output>(
  given: Given,
  output: StandardSchema<unknown> | undefined,
  adapt: (given: Given) => Handler<Input, Output>,
): Handler<Input, Output> {
  const made: Adapted = { from: given, output }
  return Object.assign(adapt(given), { [ADAPTED]: made })
}

/** Who runs a handler elsewhere finds the author's own, and does there what the adapter does around it. */
export function adaptedFrom(handler: object): Adapted | undefined {
  return (handler as { readonly [ADAPTED]?: Adapted })[ADAPTED]
}

/** @throws InvalidArgument for what cannot be called */
export function checkHandler(handler: unknown, what: string): void {
  if (typeof handler !== 'function') throw new InvalidArgument(`${what} needs a handler function.`)
}
