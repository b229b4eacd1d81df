import type { Namespace } from '../access/namespace.ts'
import type { AccessPolicy } from '../access/policy.ts'
import { toDate } from './clock.ts'
import type { Entry, EntryStatus, Progress } from './entry.ts'
import type { ErrorCode } from './errors.ts'
import { hideSession, sessionDigest } from './hidden-session.ts'
import type { RefId } from './ref.ts'

/**
 * What operators see of an entry: never its value or input, nor what a handler said in words, and no session's id
 * (`session::<digest>` in its place).
 */
export interface EntryInfo {
  readonly refId: RefId
  readonly status: EntryStatus
  /** The tool that makes the value. */
  readonly toolName?: string
  /** What `set` was told to call it. */
  readonly label?: string
  readonly namespace: Namespace
  readonly policy: AccessPolicy
  readonly createdAt: Date
  readonly startedAt?: Date
  readonly completedAt?: Date
  /** Absent while the task is in flight, and for what never expires. */
  readonly expiresAt?: Date
  /** Size of the value's JSON. */
  readonly valueBytes?: number
  /** How often the handler was started. */
  readonly attempt: number
  readonly progress?: Omit<Progress, 'message'>
  /** Why it failed. */
  readonly errorCode?: ErrorCode
}

export function describeEntry(entry: Entry): EntryInfo {
  const { refId, status, toolName, label, namespace, policy, createdAt, expiresAt, attempt } = entry
  return {
    refId,
    status,
    ...(toolName === undefined ? {} : { toolName }),
    ...(label === undefined ? {} : { label }),
    namespace: hideSession(namespace),
    policy: withoutSession(policy),
    createdAt: toDate(createdAt),
    ...(expiresAt === undefined ? {} : { expiresAt: toDate(expiresAt) }),
    attempt,
    ...(status === 'pending' ? {} : describeRun(entry)),
  }
}

/** Whether the text is part of what people know an entry by: its tool, its label or its reference. */
export function isFound(
  { refId, toolName = '', label = '' }: Pick<EntryInfo, 'refId' | 'toolName' | 'label'>,
  text: string | undefined,
): boolean {
  if (text === undefined) return true
  const wanted = text.toLowerCase()
  return [toolName, label, refId].some(name => name.toLowerCase().includes(wanted))
}

function describeRun(entry: Exclude<Entry, { status: 'pending' }>) {
  const { startedAt, progress } = entry
  const { message: _, ...numbers } = progress ?? {}
  return {
    ...(startedAt === undefined ? {} : { startedAt: toDate(startedAt) }),
    ...(Object.keys(numbers).length === 0 ? {} : { progress: numbers }),
    ...(entry.status === 'processing' ? {} : { completedAt: toDate(entry.completedAt) }),
    ...(entry.status === 'complete' ? { valueBytes: entry.valueBytes } : {}),
    ...(entry.status === 'failed' ? { errorCode: entry.error.code } : {}),
  }
}

function withoutSession(policy: AccessPolicy): AccessPolicy {
  const { boundSession } = policy
  return boundSession === undefined ? policy : { ...policy, boundSession: sessionDigest(boundSession) }
}
