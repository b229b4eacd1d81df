import { createHash } from 'node:crypto'
import { InvalidArgument } from './errors.ts'
import { checkCount } from './options.ts'
import { createRefId, type RandomBytes, type RefId } from './ref.ts'

/** The cache whose list it is. */
interface Cache {
  readonly name: string
  readonly random: RandomBytes
}

/** Where an entry stands in a list that goes by time. */
export interface ListPlace {
  readonly createdAt: number
  readonly refId: RefId
}

const TIME_BYTES = 8
const ID_BYTES = 16
const CHECK_BYTES = 4

/** Where a list goes on: beyond this place. Any process on the store can go on from it. */
export function cursorAt(cache: Cache, { createdAt, refId }: ListPlace): string {
  const time = Buffer.alloc(TIME_BYTES)
  time.writeDoubleBE(createdAt)
  const bytes = Buffer.concat([time, Buffer.from(idOf(refId), 'hex')])
  return Buffer.concat([bytes, checkOf(cache, bytes)]).toString('base64url')
}

/** @throws InvalidArgument for what is no cursor of this cache */
export function placeAt(cache: Cache, cursor: unknown): ListPlace {
  const all = Buffer.from(typeof cursor === 'string' ? cursor.slice(0, 100) : '', 'base64url')
  const bytes = all.subarray(0, TIME_BYTES + ID_BYTES)
  const sound = all.subarray(bytes.length).equals(checkOf(cache, bytes))
  // Only the one spelling that is given out is taken.
  if (!sound || bytes.length < TIME_BYTES + ID_BYTES || all.toString('base64url') !== cursor) {
    throw new InvalidArgument('This is no cursor of this list. Begin again without one.')
  }
  return {
    createdAt: bytes.readDoubleBE(0),
    refId: createRefId(cache.name, () => bytes.subarray(TIME_BYTES)),
  }
}

/**
 * A place between the last entry that was looked at and the next one, in a list of the newest first. Either may be somebody else's, and
 * the place, which is drawn, tells neither.
 */
export function placeBetween(cache: Cache, last: ListPlace, next: ListPlace): ListPlace {
  const random = fractionOf(cache)
  const createdAt = next.createdAt + (last.createdAt - next.createdAt) * random
  if (createdAt > next.createdAt && createdAt < last.createdAt) {
    return { createdAt, refId: createRefId(cache.name, cache.random) }
  }
  const from = last.createdAt === next.createdAt ? numberOf(next.refId) + 1n : 0n
  const drawn = BigInt(`0x${Buffer.from(cache.random(ID_BYTES * 2)).toString('hex')}`)
  const id = from + (drawn % (numberOf(last.refId) - from + 1n))
  return { createdAt: last.createdAt, refId: `${cache.name}:${id.toString(16).padStart(ID_BYTES * 2, '0')}` }
}

/** Finds slips, such as a cursor of another list. It is no secret: any position may be asked for. */
function checkOf({ name }: Cache, position: Uint8Array): Uint8Array {
  return createHash('sha256').update(`cursor of ${name}:`).update(position).digest().subarray(0, CHECK_BYTES)
}

/** Of 32 random bits: from 0 to below 1. */
function fractionOf({ random }: Cache): number {
  return Buffer.from(random(4)).readUInt32BE() / 2 ** 32
}

function idOf(refId: RefId): string {
  return refId.slice(refId.lastIndexOf(':') + 1)
}

function numberOf(refId: RefId): bigint {
  return BigInt(`0x${idOf(refId)}`)
}

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 200

/** How many a page of a list for clients has: 50, or as many as asked for up to 200. @throws InvalidArgument */
export function pageLimit(asked = DEFAULT_LIMIT): number {
  return Math.min(checkCount(asked, 'limit'), MAX_LIMIT)
}
