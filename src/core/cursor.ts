import { createHash } from 'node:crypto'
import { InvalidArgument } from './errors.ts'
import { checkCount } from './options.ts'
import { createRefId, type RandomBytes, type RefId } from './ref.ts'

/** The cache whose list it is. */
interface Cache {
  readonly name: string
  readonly random: RandomBytes
}

const POSITION_BYTES = 16
const CHECK_BYTES = 4

/**
 * Where a list goes on: a point that is drawn between the last entry that was looked at and the next one. Either may be
 * somebody else's, and the point is neither. Any process on the store can go on from it.
 */
export function cursorBetween(cache: Cache, last: RefId, next: RefId): string {
  const from = numberOf(last)
  const random = BigInt(`0x${Buffer.from(cache.random(POSITION_BYTES * 2)).toString('hex')}`)
  const position = from + (random % (numberOf(next) - from))
  const bytes = Buffer.from(position.toString(16).padStart(POSITION_BYTES * 2, '0'), 'hex')
  return Buffer.concat([bytes, checkOf(cache, bytes)]).toString('base64url')
}

/** The position as a reference after which the list goes on. @throws InvalidArgument for what is no cursor of this cache */
export function positionOf(cache: Cache, cursor: unknown): RefId {
  const bytes = checkedBytes(cache, cursor, POSITION_BYTES)
  return createRefId(cache.name, () => bytes)
}

function checkedBytes(cache: Cache, cursor: unknown, length: number): Buffer {
  const all = Buffer.from(typeof cursor === 'string' ? cursor.slice(0, 100) : '', 'base64url')
  const bytes = all.subarray(0, length)
  const sound = all.subarray(length).equals(checkOf(cache, bytes))
  // Only the one spelling that is given out is taken.
  if (sound && bytes.length === length && all.toString('base64url') === cursor) return bytes
  throw new InvalidArgument('This is no cursor of this list. Begin again without one.')
}

/** A place in a list that goes by time. */
export interface ListPlace {
  readonly at: number
  /** Of its reader's own entry. */
  readonly refId: RefId
}

const TIME_BYTES = 8

/** The cursor after an entry that its reader was given. */
export function placeAt(cache: Cache, { at, refId }: ListPlace): string {
  const time = Buffer.alloc(TIME_BYTES)
  time.writeDoubleBE(at)
  const bytes = Buffer.concat([time, Buffer.from(refId.slice(refId.lastIndexOf(':') + 1), 'hex')])
  return Buffer.concat([bytes, checkOf(cache, bytes)]).toString('base64url')
}

/** @throws InvalidArgument for what is no such cursor of this cache */
export function placeOf(cache: Cache, cursor: unknown): ListPlace {
  const bytes = checkedBytes(cache, cursor, TIME_BYTES + POSITION_BYTES)
  const refId = createRefId(cache.name, () => bytes.subarray(TIME_BYTES))
  return { at: bytes.readDoubleBE(0), refId }
}

/** Finds slips, such as a cursor of another list. It is no secret: any position may be asked for. */
function checkOf({ name }: Cache, position: Uint8Array): Uint8Array {
  return createHash('sha256').update(`cursor of ${name}:`).update(position).digest().subarray(0, CHECK_BYTES)
}

function numberOf(refId: RefId): bigint {
  return BigInt(`0x${refId.slice(refId.lastIndexOf(':') + 1)}`)
}

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 200

/** How many a page of a list for clients has: 50, or as many as asked for up to 200. @throws InvalidArgument */
export function pageLimit(asked = DEFAULT_LIMIT): number {
  return Math.min(checkCount(asked, 'limit'), MAX_LIMIT)
}
