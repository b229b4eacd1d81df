import { createHash } from 'node:crypto'
import { InvalidArgument } from './errors.ts'
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
  const all = Buffer.from(typeof cursor === 'string' ? cursor.slice(0, 100) : '', 'base64url')
  const bytes = all.subarray(0, POSITION_BYTES)
  const sound = all.subarray(POSITION_BYTES).equals(checkOf(cache, bytes))
  // Only the one spelling that is given out is taken.
  if (sound && all.toString('base64url') === cursor) return createRefId(cache.name, () => bytes)
  throw new InvalidArgument('This is no cursor of this list. Begin again without one.')
}

/** Finds slips, such as a cursor of another list. It is no secret: any position may be asked for. */
function checkOf({ name }: Cache, position: Uint8Array): Uint8Array {
  return createHash('sha256').update(`cursor of ${name}:`).update(position).digest().subarray(0, CHECK_BYTES)
}

function numberOf(refId: RefId): bigint {
  return BigInt(`0x${refId.slice(refId.lastIndexOf(':') + 1)}`)
}
