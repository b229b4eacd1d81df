import type { Actor } from './actor.ts'
import type { Decision } from './decision.ts'
import type { Namespace } from './namespace.ts'
import type { Permission } from './permission.ts'

/** What the actor wanted to do. `use`: compute with a value that another call's input refers to. */
export type AuditAction =
  | 'call'
  | 'get'
  | 'query'
  | 'status'
  | 'resolve'
  | 'use'
  | 'set'
  | 'edit'
  | 'export'
  | 'cancel'
  | 'retry'
  | 'delete'
  | 'exists'
  | 'answer'
  | 'watch'
  | 'admin'

/** One decision: who wanted what of which entry, and which rule decided. Never values, inputs or words of a handler. */
export interface AuditEvent extends Decision {
  readonly at: Date
  readonly actor: Actor
  readonly action: AuditAction
  /** As the caller sent it; it may name no entry. */
  readonly refId?: string
  readonly namespace?: Namespace
  readonly toolName?: string
  readonly permission: Permission
}

/** Receives decisions. `write` must return at once; when it throws or rejects, only the record is lost. */
export interface AuditSink {
  write(event: AuditEvent): unknown
  close?(): Promise<void>
}
