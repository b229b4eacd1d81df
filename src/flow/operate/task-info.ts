import type { Actor } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import { toDate } from '../../core/clock.ts'
import { type Entry, isInFlight } from '../../core/entry.ts'
import type { RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import type { Engine } from '../engine.ts'
import { findFor } from '../read/find.ts'
import { replyStatus } from '../read/reply.ts'

/** How a task stands, and what a list of tasks says beside that. */
export interface TaskInfo {
  /** As `taskStatus` has it, in the `standard` format whatever the tool's. */
  readonly response: CallResponse
  readonly createdAt: Date
  /** When it last changed: was created, started, put off or ended, reported progress, asked, or was answered. */
  readonly updatedAt: Date
  /** Absent while the task is in flight, and for what never expires. */
  readonly expiresAt?: Date
  readonly toolName?: string
  /** The tool declares what its results are like. */
  readonly hasOutputSchema?: boolean
}

export async function taskInfo(engine: Engine, refId: RefId, who: Actor): Promise<TaskInfo> {
  const want = { action: 'status', permission: READ_OR_EXECUTE, denial: '', audit: 'denials-only' } as const
  return describe(engine, await findFor(engine, refId, who, want), who)
}

/** @throws NotFound where the actor may not know of it */
export function describe(engine: Engine, entry: Entry, who: Actor): TaskInfo {
  const response = replyStatus(engine, entry, who, { action: 'status', format: 'standard' })
  const { createdAt, expiresAt, toolName } = entry
  return {
    response,
    createdAt: toDate(createdAt),
    updatedAt: toDate(updatedAt(entry)),
    ...(expiresAt === undefined ? {} : { expiresAt: toDate(expiresAt) }),
    ...(toolName === undefined ? {} : { toolName }),
    hasOutputSchema: engine.tools.get(toolName ?? '')?.outputSchema !== undefined,
  }
}

function updatedAt(entry: Entry): number {
  // An older version wrote it, or nothing has happened to it yet.
  const startedAt = entry.status === 'pending' ? undefined : entry.startedAt
  return (
    entry.updatedAt ?? (isInFlight(entry) ? undefined : entry.completedAt) ?? startedAt ?? entry.createdAt
  )
}
