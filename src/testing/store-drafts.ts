import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { AccessPolicy } from '../access/policy.ts'
import type { CompleteEntry, Entry, PendingEntry } from '../core/entry.ts'
import type { RefId } from '../core/ref.ts'
import type { Store } from '../stores/store.ts'

/** The time at which the cases play; stores know no time of their own. */
export const NOW = Date.UTC(2030, 0, 1)

let made = 0

/** References in a known order: by cache name, then by number. */
export function refIdOf(cacheName: string, number: number): RefId {
  return `${cacheName}:${number.toString(16).padStart(32, '0')}`
}

export function pending(fields: Partial<PendingEntry> = {}): PendingEntry {
  return {
    ...base(),
    toolName: 'analyze',
    status: 'pending',
    attempt: 0,
    lease: { owner: 'process-1', duration: 30_000 },
    ...fields,
  }
}

export function complete(fields: Partial<CompleteEntry> = {}): CompleteEntry {
  return {
    ...base(),
    status: 'complete',
    completedAt: NOW,
    valueBytes: 1,
    expiresAt: NOW + 60_000,
    ...fields,
  }
}

function base() {
  return {
    refId: refIdOf('files', ++made),
    namespace: 'public',
    policy: AccessPolicy.public,
    startedBy: 'user',
    createdAt: NOW,
    version: 1,
    attempt: 1,
    maxRetries: 3,
    idempotent: false,
    retryHistory: [],
  }
}

/** The next version of an entry, with changes. */
export function next<E extends Entry>(entry: E, changes: Partial<E> = {}): E {
  return { ...entry, version: entry.version + 1, ...changes }
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Stores the draft, which must win. */
export async function put(store: Store, draft: Entry, parts?: Parameters<Store['claim']>[2]): Promise<Entry> {
  const claim = await store.claim(draft, NOW, parts)
  assert.equal(claim.won, true, 'the draft should have been stored')
  return claim.entry
}

export async function refIdsOf(entries: Promise<readonly { readonly refId: RefId }[]>): Promise<RefId[]> {
  return (await entries).map(entry => entry.refId)
}

/** Equal as JSON, which is all that a store promises to keep. */
export function assertSame(actual: unknown, expected: unknown): void {
  assert.deepEqual(plain(actual), plain(expected))
}

function plain(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

export function assertBytes(actual: Uint8Array | undefined, expected: Uint8Array): void {
  assert.ok(actual instanceof Uint8Array, 'bytes should have been found')
  assert.equal(Buffer.compare(actual, expected), 0, 'the bytes should be the same')
}

/** Waits in real time; watchers are told soon, not at once. */
export async function until(condition: () => boolean, what: string, patienceMs = 30_000): Promise<void> {
  for (const end = Date.now() + patienceMs; !condition(); await sleep(5)) {
    assert.ok(Date.now() < end, `${what} should have happened by now`)
  }
}
