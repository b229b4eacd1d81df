import { cacheNameOf } from '../../core/ref.ts'
import type { Row } from '../api.ts'
import type { Seen } from './sight.ts'

/** An entry as the page shows it in a list. */
export function toRow(seen: Seen): Row {
  const { refId, status, toolName, label, namespace, startedBy, valueBytes, attempt = 0 } = seen
  const { createdAt, startedAt, completedAt, expiresAt, retryAt } = seen
  return defined({
    ref: refId,
    cache: cacheNameOf(refId),
    status,
    tool: toolName,
    label,
    namespace,
    who: startedBy,
    createdAt: createdAt.toISOString(),
    startedAt: startedAt?.toISOString(),
    completedAt: completedAt?.toISOString(),
    expiresAt: expiresAt?.toISOString(),
    bytes: valueBytes,
    attempt,
    retryAt: retryAt?.toISOString(),
    progress: seen.progress,
    etaSeconds: seen.etaSeconds,
    owner: seen.owner,
    errorCode: seen.errorCode,
    questions: seen.questions,
    usedBy: seen.usedBy,
    may: seen.may,
  })
}

type Defined<Fields> = {
  [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name]
} & {
  [Name in keyof Fields as undefined extends Fields[Name] ? Name : never]?: Exclude<Fields[Name], undefined>
}

/** The fields that have a value. */
export function defined<Fields extends object>(fields: Fields): Defined<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Defined<Fields>
}
