/** What an actor may do with an entry. Rights combine with `|`. */
export const Permission = {
  NONE: 0,
  /** See the value. */
  READ: 1,
  /** Create entries. */
  WRITE: 2,
  /** Change what becomes of an entry: cancel or retry its task. */
  UPDATE: 4,
  DELETE: 8,
  /** Use the value in a computation without seeing it. */
  EXECUTE: 16,
  CRUD: 15,
  FULL: 31,
} as const

/** One right or several, combined with `|`. */
export type Permission = number

const RIGHTS = ['READ', 'WRITE', 'UPDATE', 'DELETE', 'EXECUTE'] as const

/** A permission in words: `READ|EXECUTE`. */
export function permissionText(permission: Permission): string {
  if (permission === Permission.FULL) return 'FULL'
  return RIGHTS.filter(right => (permission & Permission[right]) !== 0).join('|') || 'NONE'
}
