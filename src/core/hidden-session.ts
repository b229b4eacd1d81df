import { createHash } from 'node:crypto'

/**
 * A session's id is enough to act for it. So operators see a digest in its place: enough to tell sessions
 * apart, and to name one, but not to enter it.
 */
export function sessionDigest(sessionId: string): string {
  // UTF-16, because half a surrogate pair would lose its identity on the way to UTF-8.
  return createHash('sha256').update(Buffer.from(sessionId, 'utf16le')).digest('hex').slice(0, 16)
}

/** The namespace with its session hidden: `session::<digest>`. No real namespace has two colons in a row. */
export function hideSession(namespace: string): string {
  return namespace.replace(
    /(^|:)session:([^:]+)$/,
    (_, before: string, id: string) => `${before}session::${sessionDigest(id)}`,
  )
}

/** Whether a namespace is written as `hideSession` shows it. */
export function hidesSession(namespace: string): boolean {
  return /(?:^|:)session::[0-9a-f]{16}$/.test(namespace)
}
