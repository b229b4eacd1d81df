import type { RefId } from '../core/ref.ts'
import type { Actor } from './actor.ts'
import type { Verdict } from './authorize.ts'
import type { Permission } from './permission.ts'

/** The rule that decided. */
export type Rule = string

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
  | 'admin'

/** One decision: who wanted what of which reference, and what was decided by which rule. Never a value. */
export interface AuditEvent {
  readonly at: Date
  readonly actor: Actor
  readonly action: AuditAction
  readonly refId?: RefId
  readonly namespace?: string
  readonly toolName?: string
  readonly permission: Permission
  readonly verdict: Verdict
  readonly rule: Rule
}

/** Where audit events go. `write` must return at once. */
export interface AuditSink {
  write(event: AuditEvent): void
  close?(): Promise<void>
}
