import { InvalidArgument } from '../core/errors.ts'
import type { Place } from '../stores/store.ts'

/** Where a list goes on. */
export function cursorOfPlace({ createdAt, refId }: Place): string {
  return encode([createdAt, refId])
}

/** @throws InvalidArgument */
export function placeOfCursor(cursor: string): Place {
  const place = decode(cursor)
  const [createdAt, refId] = Array.isArray(place) ? place : []
  if (typeof createdAt === 'number' && typeof refId === 'string') return { createdAt, refId }
  throw notOurs()
}

/** Where a feed goes on, for each cache. */
export type FeedCursors = ReadonlyMap<string, string>

export function cursorOfFeed(cursors: FeedCursors): string {
  return encode([...cursors])
}

/** @throws InvalidArgument */
export function feedOfCursor(cursor: string): FeedCursors {
  const cursors = decode(cursor)
  const isPair = (each: unknown) =>
    Array.isArray(each) && each.length === 2 && each.every(text => typeof text === 'string')
  if (Array.isArray(cursors) && cursors.every(isPair)) return new Map(cursors as Array<[string, string]>)
  throw notOurs()
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined
  }
}

function notOurs(): InvalidArgument {
  return new InvalidArgument('This is no cursor of this inspector. Begin again without one.')
}
