import type { AuditEvent } from './access/audit.ts'
import type { RefId } from './core/ref.ts'
import type { Engine } from './flow/engine.ts'
import { type TaskInfo, type TaskInfoOptions, taskInfo } from './flow/operate/task-info.ts'

/** Where a cache keeps what is for adapters. Registered, so that two copies of this package in one process agree. */
export const ADAPTERS: unique symbol = Symbol.for('mcp-refcache.adapters')

/** What the adapters of this package need of a cache beside its public methods. Not for users: it may change in any version. */
export class AdapterAccess {
  constructor(private readonly engine: Engine) {}

  /** A task as other protocols show it. With `native` it changes the entry: from then on it is a task of MCP. @throws NotFound */
  taskInfo(refId: RefId, options: TaskInfoOptions = {}): Promise<TaskInfo> {
    return taskInfo(this.engine, refId, options)
  }

  /** Tells the audit sink, if there is one, of a decision that was made outside of the cache. */
  recordDecision(event: Omit<AuditEvent, 'at'>): void {
    this.engine.access.record(event)
  }
}
