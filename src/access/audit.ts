import type { Actor } from './actor.ts'
import type { Decision } from './decision.ts'
import type { Namespace } from './namespace.ts'
import type { Permission } from './permission.ts'

/** What somebody wanted to do. `use`: compute with a value that another call's input refers to. */
export type AuditAction =
  | 'call'
  | 'get'
  | 'status'
  | 'resolve'
  | 'use'
  | 'set'
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
  /** As it was asked for: it may name nothing. */
  readonly refId?: string
  readonly namespace?: Namespace
  readonly toolName?: string
  readonly permission: Permission
}

/** Where decisions are written down. `write` must return at once; if it throws or rejects, nothing is lost but the record. */
export interface AuditSink {
  write(event: AuditEvent): unknown
  close?(): Promise<void>
}
