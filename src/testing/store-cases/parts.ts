import assert from 'node:assert/strict'
import { ValueTooLarge } from '../../core/errors.ts'
import {
  assertBytes,
  assertSame,
  bytesOf,
  complete,
  NOW,
  next,
  pending,
  put,
  refIdOf,
} from '../store-drafts.ts'
import type { StoreCase } from '../store-setup.ts'

export const partCases: readonly StoreCase[] = [
  {
    title: 'says undefined for a part, or an entry, that is not there',
    async run({ store }) {
      const draft = pending()
      await put(store, draft, { input: undefined })
      for (const part of ['input', 'value'] as const) {
        assert.equal(await store.read(draft.refId, part), undefined)
        assert.equal(await store.read(refIdOf('files', 0), part), undefined)
      }
      assert.equal(await store.get(refIdOf('files', 0)), undefined)
    },
  },
  {
    title: 'writes the named parts with the entry, and keeps the others',
    async run({ store }) {
      const draft = pending()
      await put(store, draft, { input: bytesOf('in') })
      assert.equal(await store.update(next(draft), 1, { value: bytesOf('out') }), true)
      assertBytes(await store.read(draft.refId, 'input'), bytesOf('in'))
      assertBytes(await store.read(draft.refId, 'value'), bytesOf('out'))
      assert.equal(await store.update(next(draft, { version: 3 }), 2), true)
      assertBytes(await store.read(draft.refId, 'value'), bytesOf('out'))
      assert.equal(await store.update(next(draft, { version: 4 }), 3, { value: bytesOf('newer') }), true)
      assertBytes(await store.read(draft.refId, 'value'), bytesOf('newer'))
    },
  },
  {
    title: 'removes a part that is given as undefined',
    async run({ store }) {
      const draft = pending()
      await put(store, draft, { input: bytesOf('in'), value: bytesOf('out') })
      assert.equal(await store.update(next(draft), 1, { input: undefined }), true)
      assert.equal(await store.read(draft.refId, 'input'), undefined)
      assertBytes(await store.read(draft.refId, 'value'), bytesOf('out'))
    },
  },
  {
    title: 'leaves the parts alone when the update is refused',
    async run({ store }) {
      const draft = pending()
      await put(store, draft, { input: bytesOf('in') })
      const changes = { input: undefined, value: bytesOf('out') }
      assert.equal(await store.update(next(draft), 7, changes), false)
      assertBytes(await store.read(draft.refId, 'input'), bytesOf('in'))
      assert.equal(await store.read(draft.refId, 'value'), undefined)
    },
  },
  {
    title: 'keeps each byte, of none, of few and of many',
    async run({ store }) {
      const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i)
      const many = new Uint8Array(8 * 1024 * 1024).map((_, i) => (i * 31) ^ (i >> 8))
      for (const value of [new Uint8Array(0), everyByte, everyByte.subarray(3, 10), many]) {
        const draft = complete()
        await put(store, draft, { value })
        assertBytes(await store.read(draft.refId, 'value'), value)
      }
    },
  },
  {
    title: 'does not share bytes with the caller, neither given nor handed out',
    async run({ store }) {
      const draft = complete()
      const given = Buffer.from('original')
      await put(store, draft, { value: given })
      given.fill(0)
      const handedOut = await store.read(draft.refId, 'value')
      handedOut?.fill(0)
      assertBytes(await store.read(draft.refId, 'value'), bytesOf('original'))
    },
  },
  {
    title: 'refuses bytes that can never fit, and changes nothing',
    needs: 'maxPartBytes',
    async run({ store }, { maxPartBytes = 0 }) {
      const value = new Uint8Array(maxPartBytes + 1)
      const draft = complete({ key: 'k' })
      await assert.rejects(store.claim(draft, NOW, { value }), ValueTooLarge)
      assert.equal(await store.get(draft.refId), undefined)
      await put(store, draft, { value: bytesOf('small') })
      await assert.rejects(store.update(next(draft), 1, { value }), ValueTooLarge)
      assertSame(await store.get(draft.refId), draft)
      assertBytes(await store.read(draft.refId, 'value'), bytesOf('small'))
    },
  },
]
