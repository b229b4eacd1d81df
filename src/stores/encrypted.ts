import type { Entry } from '../core/entry.ts'
import { isSealedEntry } from '../core/entry-value.ts'
import { UnreadableValue } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'
import { sealEntry, unsealEntry } from './encrypted-entry.ts'
import { type CipherKey, type KeyRing, type KeySource, Keys } from './encrypted-keys.ts'
import { altered, isSealed, type Place, seal, Unreadable, unseal } from './encrypted-seal.ts'
import {
  type Claim,
  type ListFilter,
  PAYLOADS,
  type Payload,
  type PayloadChanges,
  type SegmentName,
  type Store,
} from './store.ts'
import { StoreInFront } from './store-in-front.ts'
import { Warnings } from './warnings.ts'

export { keysFromFile } from './encrypted-key-file.ts'
export { type EncryptionKey, type KeyRing, type KeySource, keysFromEnv } from './encrypted-keys.ts'

/** Options of `encryptedStore`. */
export interface EncryptedStoreOptions {
  /** A ring of keys, `keysFromEnv`, `keysFromFile`, or a callback for keys that live elsewhere. */
  readonly keys: KeyRing | KeySource
  /**
   * Read what is stored unencrypted, too: for as long as entries from before are wanted, and no longer, because
   * whoever can write to the store can then pass off anything as an entry.
   * @defaultValue false
   */
  readonly acceptPlaintext?: boolean | undefined
}

const DEFAULT_LIST_LIMIT = 100

/**
 * A store that keeps what another one stores encrypted: AES-256-GCM over inputs, values and the words of entries. What
 * stores and sweeps go by (namespace, policy, status, times, names of tools and of actors) stays legible, and is
 * protected against change. All processes on one store need the same keys. docs/encryption.md tells how to change them.
 *
 * What cannot be decrypted fails with `StoreUnavailable`; `list` leaves it out, so that one damaged entry does not keep
 * sweeps from the others. A process warning tells of each kind of this once.
 *
 * @throws InvalidArgument when a key is malformed.
 */
export function encryptedStore(store: Store, options: EncryptedStoreOptions): Store {
  return new EncryptedStore(store, options)
}

class EncryptedStore extends StoreInFront {
  readonly #keys: Keys
  readonly #acceptPlaintext: boolean
  readonly #warnings = new Warnings()

  constructor(inner: Store, { keys, acceptPlaintext = false }: EncryptedStoreOptions) {
    super(inner)
    this.#keys = new Keys(keys)
    this.#acceptPlaintext = acceptPlaintext
  }

  override async claim(draft: Entry, now: number, parts?: PayloadChanges): Promise<Claim> {
    const key = await this.#keys.current()
    const sealed = await sealEntry(draft, key, macOf(draft, key))
    const claim = await this.store.claim(sealed, now, await sealParts(draft.refId, parts, key))
    return { ...claim, entry: await this.#openHolder(claim.entry, draft.key) }
  }

  override async findByKey(cacheName: string, memoKey: string, now: number): Promise<Entry | undefined> {
    const key = await this.#keys.current()
    const stored = await this.store.findByKey(cacheName, key.mac(memoKey), now)
    return stored && this.#openHolder(stored, memoKey)
  }

  override async get(refId: RefId): Promise<Entry | undefined> {
    const stored = await this.store.get(refId)
    return stored && this.#open(stored, refId)
  }

  override async read(refId: RefId, part: Payload): Promise<Uint8Array | undefined> {
    return this.#unseal(await this.store.read(refId, part), { refId, part })
  }

  override async stage(segment: SegmentName, bytes: Uint8Array, now: number): Promise<void> {
    const sealed = await seal(bytes, await this.#keys.current(), placeOf(segment))
    await this.store.stage(segment, sealed, now)
  }

  override async readSegment(segment: SegmentName): Promise<Uint8Array | undefined> {
    return this.#unseal(await this.store.readSegment(segment), placeOf(segment))
  }

  override async update(entry: Entry, expectedVersion: number, parts?: PayloadChanges): Promise<boolean> {
    const key = await this.#keys.current()
    const sealedParts = await sealParts(entry.refId, parts, key)
    const mac = macOf(entry, key)
    const update = async (storedKey: string | undefined) =>
      this.store.update(await sealEntry(entry, key, storedKey), expectedVersion, sealedParts)
    if (await update(mac)) return true
    const held = await this.#keyHeldBy(entry, expectedVersion)
    return held !== undefined && held !== mac && update(held)
  }

  override async list(filter: ListFilter): Promise<Entry[]> {
    const { limit = DEFAULT_LIST_LIMIT } = filter
    const found: Entry[] = []
    for (let rest: ListFilter = filter; ; ) {
      const wanted = limit - found.length
      const batch = await this.store.list({ ...rest, limit: wanted })
      for (const stored of batch) {
        const entry = await this.#open(stored).catch(ignoreUnreadable)
        if (entry) found.push(entry)
      }
      const last = batch.at(-1)
      if (!last || batch.length < wanted || found.length >= limit) return found
      rest = { ...filter, after: last }
    }
  }

  override async peek(refIds: readonly RefId[]): Promise<Entry[]> {
    const stored = await this.store.peek(refIds)
    const opened = await Promise.all(stored.map(each => this.#open(each).catch(ignoreUnreadable)))
    return opened.filter(entry => entry !== undefined)
  }

  override warnTo(warn: (message: string) => void): void {
    this.#warnings.to(warn)
    super.warnTo(warn)
  }

  /** The index that led here is the store's own, and can be bent by whoever writes to it. */
  async #openHolder(stored: Entry, memoKey: string | undefined): Promise<Entry> {
    const entry = await this.#open(stored)
    if (entry.key === memoKey) return entry
    return this.#warning(() => Promise.reject(altered({ refId: entry.refId, part: 'entry' })))
  }

  async #open(stored: Entry, refId = stored.refId): Promise<Entry> {
    if (isSealedEntry(stored)) return this.#warning(() => unsealEntry(stored, this.#keys, refId))
    if (this.#acceptPlaintext) return stored
    return this.#warning(() => Promise.reject(plaintext('entry', stored.refId)))
  }

  /**
   * What stands in the store for the memo key that this version of the entry holds. When keys changed, that was made
   * under another one, and an identical call may hold what would be made today: the entry then keeps what it has.
   */
  async #keyHeldBy({ refId, key }: Entry, version: number): Promise<string | undefined> {
    const stored = key === undefined ? undefined : await this.store.get(refId)
    if (stored?.version !== version) return undefined
    return (await this.#open(stored, refId)).key === key ? stored.key : undefined
  }

  async #unseal(bytes: Uint8Array | undefined, place: Place): Promise<Uint8Array | undefined> {
    if (!bytes || (this.#acceptPlaintext && !isSealed(bytes))) return bytes
    return this.#warning(async () => {
      if (!isSealed(bytes)) throw plaintext(place.part, place.refId)
      return unseal(bytes, this.#keys, place)
    }).catch(asUnreadableValue)
  }

  /** Callers far away are told only that the store cannot be used; its operator has to learn why. */
  async #warning<T>(open: () => Promise<T>): Promise<T> {
    try {
      return await open()
    } catch (error) {
      if (error instanceof Unreadable)
        this.#warnings.tellOnce('REFCACHE_UNREADABLE', error.message, error.problem)
      throw error
    }
  }
}

function macOf({ key: memoKey }: Entry, key: CipherKey): string | undefined {
  return memoKey === undefined ? undefined : key.mac(memoKey)
}

async function sealParts(
  refId: RefId,
  parts: PayloadChanges | undefined,
  key: CipherKey,
): Promise<PayloadChanges | undefined> {
  if (!parts) return undefined
  const sealed: { -readonly [P in Payload]?: Uint8Array | undefined } = {}
  for (const part of PAYLOADS) {
    if (part in parts) sealed[part] = parts[part] && (await seal(parts[part], key, { refId, part }))
  }
  return sealed
}

/** A segment cannot stand in the place of another one, of this value or of any. */
function placeOf({ refId, valueId, position }: SegmentName): Place {
  return { refId, part: 'segment', beside: `${position} ${valueId}` }
}

function plaintext(part: Place['part'], refId: RefId): Unreadable {
  return new Unreadable(
    'plaintext',
    `The ${part} of ${refId} is not encrypted. If it was stored before encryption was switched on, set acceptPlaintext until it has expired, or delete it; if not, find out who writes to this store.`,
  )
}

/** Its entry was genuine, so what was damaged is this value alone; a key that is missing is another matter. */
function asUnreadableValue(error: unknown): never {
  if (error instanceof Unreadable && error.problem === 'altered') {
    throw new UnreadableValue(error.message, { cause: error })
  }
  throw error
}

function ignoreUnreadable(error: unknown): undefined {
  if (!(error instanceof Unreadable)) throw error
}
