import type { MessagePort } from 'node:worker_threads'
import type { EncodedValue, ValueEncoding } from '../../core/codec.ts'
import type { ProgressReport } from '../../core/handler.ts'
import type { Piece } from '../../core/piece.ts'
import type { AskMethod } from '../../core/question.ts'
import type { LargeSource } from '../../values/segments/writer.ts'
import type { Appended, ExecutionContext } from '../executor.ts'
import type { ErrorData } from '../executor-errors.ts'

/** Where a thread finds the handler of a tool. */
export interface ToolPlace {
  readonly name: string
  /** URLs of the modules that may have it. */
  readonly modules: readonly string[]
  /** The name of the export, where that is known. */
  readonly export?: string
}

/** What a thread is told of a tool. */
export interface ThreadToolInfo {
  readonly place: ToolPlace
  readonly verbatim: boolean
  readonly projection: string | undefined
  /** An adapter registered it: results and errors mean what its protocol says. */
  readonly adapted: boolean
  /** The schemas that it has in the main thread. They run there where the module has none. */
  readonly schemas: readonly SchemaName[]
}

export type SchemaName = 'input' | 'output'

/** What a thread gets of one run. */
export interface ThreadTask extends Pick<ExecutionContext, 'refId' | 'attempt' | 'startedBy' | 'encoding'> {
  readonly tool: ThreadToolInfo
  /** As JSON. A large one comes in pieces. */
  readonly input: string | undefined
  /** For all that is said while the handler runs. */
  readonly port: MessagePort
  /** 1 when there is an abort to be read from the port: a handler that never waits can see it, too. */
  readonly aborted: Int32Array
}

/** What a thread gets of one value. Its text comes over the port. */
export interface EncodeTask {
  readonly source: Omit<LargeSource, 'pieces'>
  readonly encoding: ValueEncoding
  readonly port: MessagePort
}

/** What a thread says while a handler runs. */
export type FromThread =
  | { readonly type: 'begun' }
  | { readonly type: 'refIdRead' }
  | { readonly type: 'progress'; readonly report: ProgressReport }
  | { readonly type: 'append'; readonly number: number; readonly piece: Piece }
  | { readonly type: 'ask'; readonly number: number; readonly method: AskMethod; readonly params: unknown }
  /** Asks for what a schema of the main thread makes of a value. */
  | {
      readonly type: 'validate'
      readonly number: number
      readonly schema: SchemaName
      readonly value: unknown
    }
  | { readonly type: 'withdraw'; readonly number: number; readonly reason: ErrorData }
  /** The last that it says. */
  | { readonly type: 'result'; readonly result: EncodedValue | Appended }
  | { readonly type: 'error'; readonly error: ErrorData }

/** What it is told. */
export type ToThread =
  /** A piece of the input. */
  | { readonly type: 'input'; readonly json: string; readonly isLast: boolean }
  | { readonly type: 'abort'; readonly reason: ErrorData }
  /** The answer to what was asked with that number. */
  | {
      readonly type: 'answer'
      readonly number: number
      readonly answer?: unknown
      readonly error?: ErrorData
    }
