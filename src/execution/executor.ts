import type { Actor } from '../access/actor.ts'
import type { EncodedValue, ValueEncoding } from '../core/codec.ts'
import type { ProgressReport } from '../core/handler.ts'
import type { JsonObject, JsonValue } from '../core/json.ts'
import type { Piece } from '../core/piece.ts'
import type { AskMethod } from '../core/question.ts'
import type { RefId } from '../core/ref.ts'
import type { Tool } from '../core/tool.ts'
import type { EncodeElsewhere } from '../values/segments/encode.ts'

/** What an executor may want to know of a tool. */
export type RegisteredTool = Pick<Tool, 'name' | 'handler' | 'run' | 'input' | 'verbatim' | 'projection'>

/**
 * What a handler's run can do beside computing. All of it but `tool`, `local` and `encodeElsewhere` can cross to another process as messages: plain data, an abort,
 * reports, and questions with their answers.
 */
export interface ExecutionContext {
  readonly refId: RefId
  /**
   * The handler has read its reference, and may hand it on: from now on it has to lead somewhere. An executor with other processes that
   * does not call this has the entry stored no later than for any other work.
   */
  onRefIdRead?(): void
  /** 1 for the first run. */
  readonly attempt: number
  /** Who started the task. A retry or a takeover by somebody else does not change it. */
  readonly startedBy: Actor
  /** What the call gave for the handler alone. It is never stored, and an executor that has other processes does not send it there. */
  readonly local?: unknown
  /**
   * The tool as it was registered in this process. Its functions cross to no other process: an executor that has others finds the
   * handler by the tool's name, or where `run` says. @defaultValue undefined: the executor has the tool by its name alone
   */
  readonly tool?: RegisteredTool | undefined
  /** Aborts on cancel, on the hard timeout, and when the cache closes. Its reason is an error that says which. */
  readonly signal: AbortSignal
  /** How the result is encoded. */
  readonly encoding: ValueEncoding
  /** For an executor of this process: where large results can be encoded. @defaultValue undefined: here */
  readonly encodeElsewhere?: EncodeElsewhere | undefined
  /** Takes any number of reports. An executor hands them on in their order; it may skip some, but never the last one. */
  progress(report: ProgressReport): void
  /**
   * Takes the next piece of the value. Resolves when the next one may come: who makes pieces faster than the store takes them waits.
   * @throws InvalidArgument, ValueTooLarge, StoreFull; the signal's reason when it has aborted
   */
  append(piece: Piece): Promise<void>
  /**
   * Asks whoever started the task. `params` is what the handler gave; write it as JSON where it leaves the process.
   * @param signal gives the question up; the promise then rejects with its reason
   * @throws InputUnavailable, InvalidArgument, ValueTooLarge
   */
  ask(method: AskMethod, params: unknown, signal?: AbortSignal): Promise<JsonObject>
}

/** The handler has appended its value (`ExecutionContext.append`), to the end. */
export interface Appended {
  readonly appended: true
}

/**
 * Runs handlers: in this process, in worker threads, in other processes.
 *
 * `executorSuite` of `mcp-refcache/testing` is the contract in executable form.
 */
export interface Executor {
  /**
   * `'json'`: it wants the input as its JSON text, so that no value of a reference is parsed or copied on this side.
   * @defaultValue 'value'
   */
  readonly inputAs?: 'value' | 'json' | undefined
  /**
   * Runs the handler of a tool and resolves with its encoded result, or says that the handler has appended it. It settles when the handler has really ended: until
   * then the handler counts as running, even if its signal has aborted and nobody waits for it any more.
   *
   * @param input plain JSON, or the text of it (`inputAs`), with values in the places of references; the tool's schema runs where the handler runs
   * @throws what the handler threw, or what of it crosses a process border (`toErrorData`); InvalidArgument for an input
   *   that the tool's schema refuses, and for a tool that the executor lacks; WorkerLost when the worker that ran the
   *   handler is gone, so that nobody knows how far it came
   */
  execute(toolName: string, input: JsonValue, context: ExecutionContext): Promise<EncodedValue | Appended>
  /**
   * How many handlers may compute at once. More tasks wait in the cache's queue, where their hard timeout has not begun.
   * @defaultValue no limit but the cache's own
   */
  readonly capacity?: number | undefined
  /**
   * Encodes a large value that was made in this process, so that its event loop stays free. The cache asks the first of its executors
   * that can. Whatever goes wrong, the answer is undefined, and the value is encoded here.
   */
  encode?: EncodeElsewhere
  /** Ends what still runs, and releases what the executor holds. The cache calls it when it closes. */
  close?(): Promise<void>
}
