import type { Entry } from '../core/entry.ts'
import type { SealedEntry } from '../core/entry-value.ts'
import type { JsonValue } from '../core/json.ts'
import { copyJson, parseJson, stringifyJson } from '../core/json-text.ts'
import { canonical } from '../core/key.ts'
import type { RefId } from '../core/ref.ts'
import type { CipherKey, Keys } from './encrypted-keys.ts'
import { seal, unseal } from './encrypted-seal.ts'

/**
 * The fields that hold what handlers, users and callers said, or tell of it. They are encrypted together; to encrypt
 * one more, name it here.
 */
const PRIVATE_FIELDS: ReadonlySet<string> = new Set([
  'key',
  'releasedKey',
  'tags',
  'label',
  'progress',
  'error',
  'retryHistory',
  'questions',
])

type Fields = { [name: string]: JsonValue }

/**
 * @param storedKey what stands for the entry's memo key in the store.
 */
export async function sealEntry(entry: Entry, key: CipherKey, storedKey: string | undefined): Promise<Entry> {
  const fields = Object.entries(copyJson(entry) as unknown as Fields)
  const clear: Fields = {
    ...Object.fromEntries(fields.filter(([name]) => !PRIVATE_FIELDS.has(name))),
    ...standIns(entry),
    ...(storedKey === undefined ? {} : { key: storedKey }),
  }
  const words = Object.fromEntries(fields.filter(([name]) => PRIVATE_FIELDS.has(name)))
  const bytes = Buffer.from(stringifyJson(words))
  const sealed = await seal(bytes, key, placeOf(entry.refId, clear))
  return { ...clear, sealed: Buffer.from(sealed).toString('base64') } as unknown as Entry
}

/**
 * @param refId whose entry it should be, whatever it says of itself.
 * @throws Unreadable when a word or a clear field is not what was written.
 */
export async function unsealEntry(stored: SealedEntry, keys: Keys, refId: RefId): Promise<Entry> {
  const { sealed, ...clear } = stored
  const place = placeOf(refId, clear as unknown as Fields)
  const bytes = await unseal(Buffer.from(sealed, 'base64'), keys, place)
  return { ...clear, ...(parseJson(bytes.toString()) as object) }
}

/** What an entry always has stays there, without its words: a store is handed entries. */
function standIns(entry: Entry): Fields {
  if (entry.status !== 'failed') return { retryHistory: [] }
  return { retryHistory: [], error: { code: entry.error.code, message: '' } }
}

/** The words are bound to the clear fields beside them, so that nobody can, say, loosen a policy. */
function placeOf(refId: RefId, clear: Fields) {
  return { refId, part: 'entry', beside: canonical(clear) } as const
}
