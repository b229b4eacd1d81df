import assert from 'node:assert/strict'
import type { CompleteEntry, Entry } from '../../core/entry.ts'
import type { RefId } from '../../core/ref.ts'
import type { Store } from '../../stores/store.ts'
import { complete, NOW, next, pending } from '../store-drafts.ts'

/** Uses this far apart are told apart by every store. */
export const LATER = NOW + 20 * 60_000

/** What a store may add to each part of an entry, as encryption does. */
const MOST_ADDED = 200

export function bytes(count: number): Uint8Array {
  return new Uint8Array(count).fill(7)
}

export async function putAt(store: Store, draft: Entry, now: number, parts?: Parameters<Store['claim']>[2]) {
  assert.equal((await store.claim(draft, now, parts)).won, true, 'the draft should have been stored')
}

/** A task whose result nobody fetched yet. */
export async function settledTask(store: Store, now: number): Promise<CompleteEntry> {
  const task = pending()
  await putAt(store, task, now)
  const done = next(complete({ refId: task.refId, createdAt: now, completedAt: now }))
  assert.equal(await store.update(done, 1, { value: bytes(10) }), true)
  return done
}

/** By list, which is no use of the entries. */
export async function keptOf(store: Store, ...drafts: ReadonlyArray<{ refId: RefId }>): Promise<boolean[]> {
  const kept = new Set((await store.list({ cacheName: 'files' })).map(entry => entry.refId))
  return drafts.map(({ refId }) => kept.has(refId))
}

/** @param least the bytes that were given to the store, and not removed */
export async function assertUsage(store: Store, least: number): Promise<void> {
  const counted = (await store.usage?.())?.bytes ?? Number.NaN
  const isRight = counted >= least && counted <= least + (least === 0 ? 0 : 10 * MOST_ADDED)
  assert.ok(isRight, `${counted} bytes are counted where ${least} are stored`)
}
