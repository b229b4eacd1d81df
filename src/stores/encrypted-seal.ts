import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { setImmediate as othersHadATurn } from 'node:timers/promises'
import { StoreUnavailable } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'
import { type CipherKey, ID_FORM, type Keys } from './encrypted-keys.ts'
import type { Payload } from './store.ts'

/**
 * What sealed bytes are: this one, which says the format, and which no encoding of `core/codec.ts` begins with; the
 * length of the key's id, and the id; the nonce; the tag; the ciphertext.
 */
const FORMAT = 0xe1
const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Some 2 ms of work. In one piece, 50 MB would hold up the process for 100 ms. */
const STEP_BYTES = 1024 * 1024

/** Where sealed bytes belong; anywhere else they cannot be opened. */
export interface Place {
  readonly refId: RefId
  readonly part: Payload | 'segment' | 'entry'
  /** Further text that must be the same when they are opened. */
  readonly beside?: string
}

type Problem = 'unknown-key' | 'altered' | 'plaintext'

/** What is stored cannot be read, and will not be readable later unless somebody does something about it. */
export class Unreadable extends StoreUnavailable {
  override readonly name = 'StoreUnavailable'

  constructor(
    readonly problem: Problem,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}

export function isSealed(bytes: Uint8Array): boolean {
  return bytes[0] === FORMAT
}

export async function seal(bytes: Uint8Array, key: CipherKey, place: Place): Promise<Uint8Array> {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, key.sealingKey(place.refId), nonce)
  cipher.setAAD(bindingOf(key.id, place))
  const id = Buffer.from(key.id)
  const head = Buffer.concat([Uint8Array.of(FORMAT, id.length), id, nonce])
  const start = head.length + TAG_BYTES
  const sealed = Buffer.allocUnsafeSlow(start + bytes.length)
  await pass(bytes, cipher, sealed.subarray(start))
  cipher.final()
  sealed.set(head)
  sealed.set(cipher.getAuthTag(), head.length)
  return sealed
}

/** @throws Unreadable */
export async function unseal(sealed: Uint8Array, keys: Keys, place: Place): Promise<Buffer> {
  const { id, nonce, tag, body } = dissect(sealed, place)
  const key = await keys.byId(id)
  if (!key) {
    throw new Unreadable(
      'unknown-key',
      `The ${place.part} of ${place.refId} is encrypted under the key '${id}', which is not configured. List it among the previous keys until what was written under it has expired.`,
    )
  }
  const decipher = createDecipheriv(ALGORITHM, key.sealingKey(place.refId), nonce, {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(bindingOf(id, place)).setAuthTag(tag)
  const opened = Buffer.allocUnsafeSlow(body.length)
  await pass(body, decipher, opened)
  try {
    // Not a byte leaves before all of them have proved to be genuine.
    decipher.final()
  } catch (cause) {
    throw altered(place, `, or the key '${id}' has other bytes than when it was written`, cause)
  }
  return opened
}

/** All that the bytes are bound to; as JSON, because no two places may have the same text. */
function bindingOf(keyId: string, { refId, part, beside = '' }: Place): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, keyId, refId, part, beside]))
}

async function pass(
  from: Uint8Array,
  through: { update(bytes: Uint8Array): Buffer },
  to: Uint8Array,
): Promise<void> {
  for (let at = 0; at < from.length; at += STEP_BYTES) {
    if (at > 0) await othersHadATurn()
    to.set(through.update(from.subarray(at, at + STEP_BYTES)), at)
  }
}

function dissect(sealed: Uint8Array, place: Place) {
  const nonceAt = 2 + (sealed[1] ?? 0)
  const tagAt = nonceAt + NONCE_BYTES
  const bodyAt = tagAt + TAG_BYTES
  // Latin-1 keeps every byte apart, and the form lets none through that a log would not bear.
  const id = Buffer.from(sealed.subarray(2, nonceAt)).toString('latin1')
  if (sealed[0] !== FORMAT || !ID_FORM.test(id) || sealed.length < bodyAt) {
    throw altered(place, ', or a newer mcp-refcache wrote it')
  }
  return {
    id,
    nonce: sealed.subarray(nonceAt, tagAt),
    tag: sealed.subarray(tagAt, bodyAt),
    body: sealed.subarray(bodyAt),
  }
}

export function altered({ refId, part }: Place, orElse = '', cause?: unknown): Unreadable {
  return new Unreadable(
    'altered',
    `The ${part} of ${refId} is not what was encrypted: it was damaged, altered or put in the place of another${orElse}. Find out who writes to this store, then delete the entry.`,
    { cause },
  )
}
