import type { JsonObject } from '../../core/json.ts'
import type { ResultRequest } from './questions.ts'
import type { Task, TaskWithResult } from './task.ts'
import type { TaskView } from './view.ts'

/** The protocol revisions that have tasks: in the core of the protocol, then as an extension. */
export type Revision = '2025-11-25' | '2026-07-28'

/** How one protocol revision spells tasks. Whatever differs between the revisions stands in their codecs. */
export interface TaskCodec {
  readonly revision: Revision
  /** Reads as much of a task as the revision tells of it. */
  read(view: TaskView): Promise<TaskWithResult>
  /** How a task stands. */
  encode(task: TaskWithResult): JsonObject
  /** The notification of how a task stands. */
  readonly notification: string
  /** The answer to the call that became this task. */
  created(task: Task, options: { readonly nameTools: (text: string) => string }): JsonObject
  /** The questions of a task as the answer to its call, where they come before it became a task. Absent: the task asks them. */
  readonly inputRequired?: (task: Task) => JsonObject | undefined
  /** The requests of clients about one task. */
  readonly methods: Readonly<Record<string, TaskMethod>>
  /** Whether clients are told of their tasks, and asked, on the connection itself. */
  readonly tellsUnasked: boolean
  /** Whether clients can list their tasks. */
  readonly hasList: boolean
}

export type TaskMethod = (view: TaskView, request: TaskRequest) => Promise<JsonObject>

/** A request about a task, while it is being answered. */
export interface TaskRequest extends ResultRequest {
  readonly params: JsonObject
}
