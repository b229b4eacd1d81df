import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'
import { InvalidArgument, StoreUnavailable } from '../core/errors.ts'
import type { RefId } from '../core/ref.ts'

/** A secret and the name that is stored, in clear, beside what was encrypted under it. */
export interface EncryptionKey {
  /** 1 to 32 letters, digits, dots, dashes or underscores. Once used, it never names other bytes. */
  readonly id: string
  /** 32 random bytes. */
  readonly key: Uint8Array
}

/** All writes use `current`; what was written under a previous key stays readable as long as that is listed. */
export interface KeyRing {
  readonly current: EncryptionKey
  readonly previous?: readonly EncryptionKey[]
}

/**
 * Keys that live elsewhere. Without an id it is asked for the current key, at each write; with an id for that one, at
 * the first need. `undefined` says that there is no such key (any more).
 */
export type KeySource = (id?: string) => EncryptionKey | undefined | Promise<EncryptionKey | undefined>

const KEY_BYTES = 32
/** Too short for a key in base64, so that one that was put in the wrong place is not taken for an id. */
export const ID_FORM = /^[\w.-]{1,32}$/
const BASE64 = /^[\w+/-]{43}=?$/

/**
 * Keys from an environment variable: `id:base64` of 32 bytes, several with commas between them, the current one first.
 * They are read at once. Nothing that the variable says gets into a message.
 *
 * @example keysFromEnv('MCP_REFCACHE_KEYS') // MCP_REFCACHE_KEYS='2026-11:<base64>,2026-05:<base64>'
 * @throws InvalidArgument that says which of the keys is malformed.
 */
export function keysFromEnv(
  variable: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): KeySource {
  const text = env[variable]?.trim()
  if (!text) {
    throw new InvalidArgument(
      `${variable} is not set. It holds the keys to encrypt with: id:base64 of 32 random bytes (openssl rand -base64 32), the current one first, with commas between them.`,
    )
  }
  return parseKeys(text, ',', variable)
}

/** The keys of a text, the current one first. @throws InvalidArgument that names `where` it comes from */
export function parseKeys(text: string, separator: string | RegExp, where: string): KeySource {
  const items = text.split(separator).map(item => item.trim())
  // Blank lines are none; a comma too many may be a key that got lost.
  const kept = typeof separator === 'string' ? items : items.filter(item => item !== '')
  const [current, ...previous] = kept.map((item, i) => parseKey(item, i + 1, where))
  return ringSource({ current: current as EncryptionKey, previous })
}

function parseKey(item: string, position: number, where: string): EncryptionKey {
  const [id = '', key = '', ...rest] = item.split(':')
  if (ID_FORM.test(id) && BASE64.test(key) && rest.length === 0)
    return { id, key: Buffer.from(key, 'base64') }
  throw new InvalidArgument(
    `Key ${position} of ${where} is malformed. A key is written id:base64, where the id has 1 to 32 letters, digits, dots, dashes or underscores, and the base64 is that of 32 bytes.`,
  )
}

/** The ring's bytes are copied, and out of reach from here on: neither `console.log` nor an error can show them. */
function ringSource({ current, previous = [] }: KeyRing): KeySource {
  const keys = new Map<string, EncryptionKey>()
  for (const key of [current, ...previous]) {
    const { id } = checkKey(key)
    if (keys.has(id)) throw new InvalidArgument('Two encryption keys have the same id.')
    keys.set(id, { id, key: Uint8Array.from(key.key) })
  }
  const currentId = current.id
  return (id = currentId) => keys.get(id)
}

function checkKey(key: EncryptionKey): EncryptionKey {
  const { id, key: bytes } = key ?? {}
  if (
    typeof id === 'string' &&
    ID_FORM.test(id) &&
    bytes instanceof Uint8Array &&
    bytes.length === KEY_BYTES
  ) {
    return key
  }
  throw new InvalidArgument(
    `An encryption key is { id, key }: the id has 1 to 32 letters, digits, dots, dashes or underscores, and the key is a Uint8Array of ${KEY_BYTES} bytes.`,
  )
}

/** One configured key, as what is derived from it: a key for each purpose. */
export class CipherKey {
  readonly id: string
  readonly #seal: KeyObject
  readonly #memo: KeyObject

  constructor({ id, key }: EncryptionKey) {
    this.id = id
    // With its id, so that the same bytes under another id are another key, for memo keys, too.
    this.#seal = derive(key, `mcp-refcache seal 1 ${id}`)
    this.#memo = derive(key, `mcp-refcache memo key 1 ${id}`)
  }

  /**
   * Each entry has a key of its own. So random nonces have to differ only among the writes of one entry, and no number
   * of writes wears a configured key out.
   */
  sealingKey(refId: RefId): Buffer {
    return createHmac('sha256', this.#seal).update(refId).digest()
  }

  /** Stands for a memo key in the store: equal for equal keys, and nothing that inputs can be tried against. */
  mac(memoKey: string): string {
    return createHmac('sha256', this.#memo).update(memoKey).digest('hex')
  }
}

function derive(key: Uint8Array, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', key, '', purpose, KEY_BYTES)))
}

/** The configured keys, each made ready once. */
export class Keys {
  readonly #source: KeySource
  readonly #ready = new Map<string, CipherKey>()

  constructor(keys: KeyRing | KeySource) {
    this.#source = typeof keys === 'function' ? keys : ringSource(keys)
  }

  async current(): Promise<CipherKey> {
    const key = await this.#ask()
    if (!key)
      throw new StoreUnavailable('There is no current encryption key: the callback for keys gave none.')
    return this.#ready.get(key.id) ?? this.#prepare(key)
  }

  async byId(id: string): Promise<CipherKey | undefined> {
    const ready = this.#ready.get(id)
    if (ready) return ready
    const key = await this.#ask(id)
    return key && this.#prepare(key)
  }

  async #ask(id?: string): Promise<EncryptionKey | undefined> {
    try {
      const key = await this.#source(id)
      if (key === undefined) return undefined
      if (id !== undefined && key.id !== id) throw new Error('it gave a key of another id')
      return checkKey(key)
    } catch (cause) {
      throw new StoreUnavailable('The callback for encryption keys failed; see the cause.', { cause })
    }
  }

  #prepare(key: EncryptionKey): CipherKey {
    const ready = new CipherKey(key)
    this.#ready.set(key.id, ready)
    return ready
  }
}
