import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { StoreUnavailable } from '../../../src/core/errors.ts'
import { bytesOf, complete, NOW, next, pending, put } from '../../../src/testing/store-drafts.ts'
import { NEW, OLD, scene } from './encrypted-scene.ts'

const on = scene()

describe('rotation', () => {
  const rotated = () => on.over({ current: NEW, previous: [OLD] })

  it('keeps old entries readable while their key is listed, and writes under the new one', async () => {
    const before = complete({ label: 'before' })
    await put(on.store, before, { value: bytesOf('old value') })
    const both = rotated()
    expect(await both.get(before.refId)).toEqual(before)
    expect(await both.read(before.refId, 'value')).toEqual(Buffer.from('old value'))
    const after = complete({ label: 'after' })
    await put(both, after)

    await expect(on.store.get(after.refId)).rejects.toThrow(
      /under the key '2030-02', which is not configured/,
    )
    const alone = on.over({ current: NEW })
    expect(await alone.get(after.refId)).toEqual(after)
    await expect(alone.get(before.refId)).rejects.toThrow(/under the key '2030-01', which is not configured/)
    expect(await alone.list({ cacheName: 'files' })).toEqual([after])
  })

  it('moves an entry to the new key with its next change', async () => {
    const draft = pending({ label: 'l', key: 'k' })
    await put(on.store, draft)
    expect(await rotated().update(next(draft), 1)).toBe(true)
    const alone = on.over({ current: NEW })
    expect(await alone.get(draft.refId)).toEqual(next(draft))
    expect((await alone.claim(pending({ key: 'k' }), NOW)).entry).toEqual(next(draft))
  })

  it('can be prepared by listing the new key behind the current one', async () => {
    const draft = pending({ key: 'k' })
    await put(on.store, draft)
    const prepared = on.over({ current: OLD, previous: [NEW] })
    expect((await prepared.claim(pending({ key: 'k' }), NOW)).won).toBe(false)
    const ahead = complete()
    await put(rotated(), ahead)
    expect(await prepared.get(ahead.refId)).toEqual(ahead)
  })

  it('costs identical calls one more run, and leaves both tasks free to go on', async () => {
    const before = pending({ key: 'k' })
    await put(on.store, before)
    const both = rotated()
    const again = pending({ key: 'k' })
    expect((await both.claim(again, NOW)).won).toBe(true)
    // The new form of its key is taken; it keeps the old one.
    expect(await both.update(next(before), 1)).toBe(true)
    expect(await both.update(next(again), 1)).toBe(true)
    expect(await both.get(before.refId)).toEqual(next(before))
    expect((await both.claim(pending({ key: 'k' }), NOW)).entry.refId).toBe(again.refId)
    expect((await on.store.claim(pending({ key: 'k' }), NOW).catch(error => error)).message).toMatch(
      /2030-02/,
    )
  })

  it('by a new name for the old bytes is one, too', async () => {
    await put(on.store, pending({ key: 'k' }))
    const renamed = on.over({ current: { id: NEW.id, key: OLD.key } })
    expect((await renamed.claim(pending({ key: 'k' }), NOW)).won).toBe(true)
  })

  it('is told apart from bytes that changed under the same id', async () => {
    const draft = complete()
    await put(on.store, draft)
    const wrong = on.over({ current: { id: OLD.id, key: NEW.key } })
    await expect(wrong.get(draft.refId)).rejects.toThrow(/or the key '2030-01' has other bytes/)
  })
})

describe('what was stored unencrypted', () => {
  it('is refused, or else anybody could pass it off', async () => {
    const draft = complete({ label: 'plain' })
    await put(on.inner, draft, { value: bytesOf('\0{}') })
    await expect(on.store.get(draft.refId)).rejects.toThrow(/entry of .* is not encrypted.*acceptPlaintext/)
    await expect(on.store.read(draft.refId, 'value')).rejects.toThrow(/value of .* is not encrypted/)
    expect(await on.store.list({ cacheName: 'files' })).toEqual([])
  })

  it('is read where that is asked for, and encrypted with its next change', async () => {
    const draft = pending({ label: 'plain', key: 'k' })
    await put(on.inner, draft, { input: bytesOf('\0{}') })
    const migrating = on.over({ current: OLD }, { acceptPlaintext: true })
    expect(await migrating.get(draft.refId)).toEqual(draft)
    expect(await migrating.read(draft.refId, 'input')).toEqual(bytesOf('\0{}'))
    expect(await migrating.list({ cacheName: 'files' })).toEqual([draft])
    expect(await migrating.update(next(draft), 1, { input: bytesOf('\0[]') })).toBe(true)
    expect(await on.store.get(draft.refId)).toEqual(next(draft))
    expect(await on.store.read(draft.refId, 'input')).toEqual(Buffer.from('\0[]'))
  })

  it('cannot stand in for the value of an encrypted entry', async () => {
    const draft = complete()
    await put(on.store, draft, { value: bytesOf('genuine') })
    await on.forge((await on.inner.get(draft.refId))!, {}, { value: bytesOf('\0"forged"') })
    await expect(on.store.read(draft.refId, 'value')).rejects.toThrow(StoreUnavailable)
  })
})

describe('large values', () => {
  it('leave others their turns, and come back byte by byte', async () => {
    const value = randomBytes(8 * 1024 * 1024 + 5)
    const draft = complete()
    let turns = 0
    let going = true
    const others = () => {
      turns++
      if (going) setImmediate(others)
    }
    setImmediate(others)
    await put(on.store, draft, { value })
    const whileSealing = turns
    const read = await on.store.read(draft.refId, 'value')
    going = false
    expect(Buffer.compare(read!, value)).toBe(0)
    expect(whileSealing).toBeGreaterThanOrEqual(8)
    expect(turns - whileSealing).toBeGreaterThanOrEqual(8)
  })
})
