import { afterEach, describe, expect, it } from 'vitest'
import { actor } from '../../../src/access/actor.ts'
import { AccessPolicy } from '../../../src/access/policy.ts'
import type { JsonValue } from '../../../src/core/json.ts'
import type { RefCache } from '../../../src/ref-cache.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Edit } from '../../../src/values/edit/edits.ts'
import { PROXIED_RESULT } from '../../../src/values/result-projections.ts'
import { sizeOf } from '../preview/values.ts'
import { deferred, scene, storeWith } from './scene.ts'

const caches: RefCache[] = []
function open(options?: Parameters<typeof scene>[0]) {
  const made = scene(options)
  caches.push(made.cache)
  return made
}
afterEach(async () => {
  await Promise.all(caches.splice(0).map(cache => cache.close()))
})

const agent = actor.agent({ id: 'claude-1' })
const user = actor.user({ id: 'ada' })
const document = {
  rows: [
    { id: 1, note: 'one' },
    { id: 2, note: 'two' },
  ],
  total: 2,
}

/** A stored result of another server's tool. */
async function resultOf(cache: RefCache, result: JsonValue) {
  const tool = cache.cached(
    { name: 'tool', projection: PROXIED_RESULT, verbatim: true, replace: true },
    () => result,
  )
  return (await tool({})).refId
}

describe('cache.edit', () => {
  it('makes a changed copy, and leaves the original as it was', async () => {
    const { cache } = open()
    const { refId } = await cache.set('document', document)
    const copy = await cache.edit(refId, [
      { op: 'test', path: '/rows/1/id', value: 2 },
      { op: 'replace', path: '/rows/1/note', value: 'second' },
      { op: 'add', path: '/rows/-', value: { id: 3 } },
    ])
    expect(copy).toMatchObject({ derivedFrom: refId, label: 'document', moreChanges: 0 })
    expect(copy.changes).toEqual([
      { at: '#/rows/1/note', before: 'two', after: 'second' },
      { at: '#/rows/-', after: { id: 3 } },
    ])
    const changed = { rows: [{ id: 1, note: 'one' }, { id: 2, note: 'second' }, { id: 3 }], total: 2 }
    expect(await cache.resolve(copy.refId)).toEqual(changed)
    expect(copy.size).toBe(sizeOf(changed, 'token'))
    expect(await cache.resolve(refId)).toEqual(document)
  })

  it('edits texts, and what a large value is stored as', async () => {
    const { cache } = open()
    const small = await cache.set('text', 'one\ntwo\n')
    const edits: Edit[] = [{ find: 'two', replace: '2' }]
    expect(await cache.resolve((await cache.edit(small.refId, edits)).refId)).toBe('one\n2\n')
    const text = `${'line 😀\n'.repeat(140_000)}two\n`
    const large = await cache.set('text', text)
    expect(await cache.resolve((await cache.edit(large.refId, edits)).refId)).toBe(text.replace('two', '2'))
    const rows = Array.from({ length: 36_000 }, (_, id) => ({ id, name: `row ${id}` }))
    const list = await cache.set('rows', rows)
    const copy = await cache.edit(list.refId, [{ op: 'remove', path: '/35000' }])
    expect(await cache.resolve(copy.refId)).toEqual(rows.filter(({ id }) => id !== 35_000))
    expect(await cache.resolve(`${copy.refId}#/35000/name`)).toBe('row 35001')
  })

  it('stays what it was when it is passed on', async () => {
    const { cache } = open()
    const json = JSON.stringify(document, null, 2).replace('"total": 2', '"total": 2.0')
    const refId = await resultOf(cache, { content: [{ type: 'text', text: json }] })
    const copy = await cache.edit(refId, [{ op: 'replace', path: '/rows/0/note', value: 'first' }])
    const echo = cache.cached({ name: 'echo' }, (args: { body: JsonValue }) => args.body)
    expect(await echo({ body: copy.refId })).toMatchObject({ value: json.replace('"one"', '"first"') })
    // It can be edited again.
    const again = await cache.edit(copy.refId, [{ op: 'remove', path: '/rows/1' }])
    expect(await cache.resolve(`${again.refId}#/rows`)).toEqual([{ id: 1, note: 'first' }])
  })

  it('is for whom the original is for, and is kept as long', async () => {
    const { cache, clock } = open()
    const { refId } = await cache.set('document', document, {
      ttl: '10m',
      policy: AccessPolicy.userOnly,
      namespace: 'user:ada',
    })
    clock.advance(60_000)
    const edits: Edit[] = [{ op: 'remove', path: '/total' }]
    await expect(cache.edit(refId, edits, { actor: agent })).rejects.toMatchObject({ code: 'not_found' })
    const copy = await cache.edit(refId, edits, { actor: user })
    expect(copy).toMatchObject({ namespace: 'user:ada' })
    expect((copy.expiresAt as Date).getTime() - copy.createdAt.getTime()).toBe(600_000)
    await expect(cache.get(copy.refId, { actor: agent })).rejects.toMatchObject({ code: 'not_found' })
    expect(await cache.resolve(copy.refId, { actor: user })).toEqual({ rows: document.rows })
  })

  it('needs READ', async () => {
    const { cache } = open()
    const { refId } = await cache.set('secret', 'a text', { policy: AccessPolicy.executeOnly })
    await expect(cache.edit(refId, [{ find: 'z', replace: '' }], { actor: agent })).rejects.toMatchObject({
      code: 'permission_denied',
    })
  })

  it('ends with the signal of whoever asks, and stores nothing', async () => {
    const { cache } = open()
    const { refId } = await cache.set('text', 'line\n'.repeat(300_000))
    const edits = Array.from({ length: 20 }, (_, n): Edit => ({ find: 'line', replace: `l${n}`, all: true }))
    const ended = new AbortController()
    const asked = cache.edit(refId, edits, { signal: ended.signal })
    setImmediate(() => ended.abort(new Error('enough')))
    await expect(asked).rejects.toThrow('enough')
    await expect(
      cache.edit(refId, edits, { signal: AbortSignal.abort(new Error('before')) }),
    ).rejects.toThrow('before')
  })

  it('takes no part, no task in flight, and no other option', async () => {
    const { cache } = open()
    const { refId } = await cache.set('document', document)
    const edits: Edit[] = [{ op: 'remove', path: '/total' }]
    await expect(cache.edit(`${refId}#/rows`, edits)).rejects.toMatchObject({ code: 'invalid_argument' })
    await expect(cache.edit(refId, edits, { who: 'me' } as object)).rejects.toMatchObject({
      code: 'invalid_argument',
    })
    const work = deferred()
    const slow = cache.cached({ name: 'slow', asyncTimeout: 0 }, () => work.promise)
    const handle = await slow({})
    await expect(cache.edit(handle.refId, edits)).rejects.toMatchObject({ code: 'task_not_ready' })
    work.resolve(1)
  })

  it('puts values in for references and parts, to the last digit', async () => {
    const { cache } = open()
    const { refId } = await cache.set('document', document)
    const source = await resultOf(cache, {
      content: [{ type: 'text', text: '{"n":12345678901234567890,"s":"x\\ny"}' }],
    })
    const copy = await cache.edit(refId, [
      { op: 'replace', path: '/total', value: `${source}#/n` },
      { op: 'add', path: '/all', value: source },
      { op: 'add', path: '/inside', value: { text: `${source}#/s`, other: 1 } },
      // Where a text stands, a text stays one.
      { op: 'replace', path: '/rows/0/note', value: source },
    ])
    const text = await cache.get(copy.refId, { full: true })
    expect(JSON.stringify(text)).toContain('"text":"x\\ny"')
    const echo = cache.cached({ name: 'echo', verbatim: true }, (args: { body: JsonValue }) => args.body)
    const passed = await echo({ body: `${copy.refId}#/all` })
    expect(String((passed as unknown as { value: { n: number } }).value.n)).toBe('12345678901234567890')
    expect(await cache.resolve(`${copy.refId}#/rows/0/note`)).toBe('{"n":12345678901234567890,"s":"x\\ny"}')
    const note = await cache.set('note', 'a NAME b')
    const filled = await cache.edit(note.refId, [{ find: 'NAME', replace: `${source}#/s` }])
    expect(await cache.resolve(filled.refId)).toBe('a x\ny b')
  })

  describe('with a value that the caller may not see', () => {
    const secret = 'the s"ecret'
    const secretScene = async () => {
      const { cache } = open()
      const hidden = await cache.set('secret', secret, { policy: AccessPolicy.executeOnly })
      const { refId } = await cache.set('document', document)
      const note = await cache.set('note', 'dear NAME,')
      return { cache, hidden: hidden.refId, document: refId, note: note.refId }
    }

    it('puts it in, tells nothing of it, and guards the copy', async () => {
      const { cache, hidden, document, note } = await secretScene()
      const edits: Edit[] = [
        { op: 'replace', path: '/rows/0/note', value: hidden },
        { op: 'add', path: '/nested', value: { deep: [hidden] } },
        { path: '/rows/1/note', find: 'two', replace: hidden },
      ]
      const copy = await cache.edit(document, edits, { actor: agent })
      expect(JSON.stringify(copy)).not.toContain('ecret')
      expect(copy).not.toHaveProperty('size')
      expect(copy.changes.map(({ after }) => after)).toEqual(['(private)', '(private)', '(private)'])
      await expect(cache.get(copy.refId, { actor: agent })).rejects.toMatchObject({
        code: 'permission_denied',
      })
      expect(await cache.resolve(copy.refId, { actor: user })).toEqual({
        rows: [
          { id: 1, note: secret },
          { id: 2, note: secret },
        ],
        total: 2,
        nested: { deep: [secret] },
      })
      const text = await cache.edit(note, [{ find: 'NAME', replace: hidden }], { actor: agent })
      expect(await cache.resolve(text.refId, { actor: user })).toBe(`dear ${secret},`)
    })

    it('lets no later edit and no test find out what it is', async () => {
      const { cache, hidden, document, note } = await secretScene()
      const put: Edit = { op: 'replace', path: '/rows/0/note', value: hidden }
      const attempts: Array<[string, Edit[]]> = [
        [document, [{ op: 'test', path: '/rows/0/note', value: hidden }]],
        [document, [put, { op: 'test', path: '/rows/0/note', value: secret }]],
        [document, [put, { path: '/rows/0/note', find: 's', replace: '' }]],
        [document, [{ op: 'replace', path: '/total', value: `${hidden}#/a` }]],
        [
          note,
          [
            { find: 'NAME', replace: hidden },
            { find: 'ecret', replace: '' },
          ],
        ],
      ]
      for (const [refId, edits] of attempts) {
        const error = await cache.edit(refId, edits, { actor: agent }).then(
          () => undefined,
          (thrown: Error) => thrown,
        )
        expect(error, JSON.stringify(edits)).toBeDefined()
        expect(String(error?.message)).not.toMatch(/ecret(?!")/)
      }
    })

    describe('that is an object, a text, or a number', () => {
      const values: Array<[string, JsonValue]> = [
        ['object', { pin: 1, 'a"b': 'x\ny' }],
        ['text', 'TOP "SECRET\nline'],
        ['number', 4711],
        ['list', ['x', 'y']],
      ]
      const structured = {
        content: [{ type: 'text', text: '{"KEY":1, "b":"x;y"}' }],
        structuredContent: { a: 'x', b: 'one;two' },
      }
      /** What the caller is told, with random ids left out. */
      const told = async (cache: RefCache, refId: string, edits: Edit[]) =>
        cache.edit(refId, edits, { actor: agent }).then(
          ({ changes, moreChanges }) => ({ changes, moreChanges }),
          (error: Error & { code: string }) => ({ code: error.code, message: error.message }),
        )

      const tampering = (hidden: string): Edit[][] => {
        const put: Edit = { op: 'replace', path: '/structured/a', value: hidden }
        const find = (text: string, replace: string, all = false): Edit => ({
          path: '/structured/a',
          find: text,
          replace,
          all,
        })
        return [
          [put, find(';', ';x')],
          [put, find('-0;', '-1;')],
          [put, find('-0;', '-99;')],
          ...[...'0123456789abcdef'].map(digit => [put, find(digit, 'z', true)]),
          [put, { op: 'test', path: '/structured/a', value: 'x' }],
          [put, { op: 'test', path: '/structured', value: {} }],
          [put, { op: 'replace', path: '/structured/a/pin', value: 1 }],
        ]
      }

      it('is neither changed nor looked into by later edits', async () => {
        const answers = []
        for (const [, value] of values) {
          const { cache } = open()
          const { refId: hidden } = await cache.set('p', value, { policy: AccessPolicy.executeOnly })
          const refId = await resultOf(cache, structured)
          for (const edits of tampering(hidden)) {
            const answer = await told(cache, refId, edits)
            expect(answer).toMatchObject({ code: 'invalid_argument' })
            expect(JSON.stringify(answer)).not.toMatch(/[0-9a-f]{8}|SECRET|4711/)
          }
          answers.push(await told(cache, refId, tampering(hidden)[0] as Edit[]))
        }
        expect(new Set(answers.map(answer => JSON.stringify(answer))).size).toBe(1)
      })

      it.each(values)('leaves JSON that is whole, wherever it gets: %s', async (_, value) => {
        const { cache } = open()
        const { refId: hidden } = await cache.set('p', value, { policy: AccessPolicy.executeOnly })
        const refId = await resultOf(cache, structured)
        const asText = typeof value === 'string' ? value : JSON.stringify(value)
        const whole = async (edits: Edit[]) => {
          const copy = await cache.edit(refId, edits, { actor: agent })
          return (await cache.resolve(copy.refId, { actor: user })) as JsonValue
        }
        const move: Edit = { op: 'copy', from: '/content/0', path: '/structured/c' }
        // As a key, and with what is around it taken away, in a text that becomes JSON.
        expect(await whole([{ find: 'KEY', replace: hidden }, move])).toMatchObject({
          structuredContent: { c: expect.anything() },
        })
        const put: Edit = { op: 'replace', path: '/content/0/KEY', value: hidden }
        expect(await whole([put, { find: '{"KEY":', replace: 'x "' }, move])).toMatchObject({
          structuredContent: { c: expect.any(String) },
        })
        expect(
          await whole([put, { find: '{"KEY":', replace: '{' }, { find: ', "b"', replace: ':1, "b"' }, move]),
        ).toMatchObject({ structuredContent: { c: { [asText]: 1 } } })
        const inside: Edit = { path: '/structured/b', find: 'one', replace: hidden }
        expect(await whole([inside])).toMatchObject({ structuredContent: { b: `${asText};two` } })
      })

      it('stands in a text as it is, also where the text is named by a path', async () => {
        const { cache } = open()
        const secretText = values[1]?.[1] as string
        const { refId: hidden } = await cache.set('p', secretText, { policy: AccessPolicy.executeOnly })
        const note = await cache.set('note', 'dear NAME,')
        const copy = await cache.edit(note.refId, [{ find: 'NAME', replace: hidden, path: '' }], {
          actor: agent,
        })
        expect(await cache.resolve(copy.refId, { actor: user })).toBe(`dear ${secretText},`)
        const result = await resultOf(cache, structured)
        const changed = await cache.edit(result, [{ find: 'x;y', replace: hidden, path: '/content/0' }], {
          actor: agent,
        })
        expect(await cache.resolve(`${changed.refId}#/text`, { actor: user })).toBe(
          `{"KEY":1, "b":"${secretText}"}`,
        )
      })

      it('is passed over by a text to find that occurs elsewhere', async () => {
        const { cache } = open()
        const { refId: hidden } = await cache.set('p', 'abc', { policy: AccessPolicy.executeOnly })
        const note = await cache.set('note', 'NAME a1 b2 0; a')
        const edits: Edit[] = [
          { find: 'NAME', replace: hidden },
          ...[...'a1b20;'].map((find): Edit => ({ find, replace: '', all: true })),
        ]
        const copy = await cache.edit(note.refId, edits, { actor: agent })
        expect(await cache.resolve(copy.refId, { actor: user })).toBe('abc    ')
      })

      it('decides nothing by its length', async () => {
        const { cache } = open({ maxValueBytes: 3_000 })
        const note = await cache.set('note', { a: 'x'.repeat(1_000) })
        const copies = (count: number) =>
          Array.from({ length: count }, (__, n): Edit => ({ op: 'copy', from: '/p', path: `/c${n}` }))
        const answers = []
        for (const length of [1, 100, 1_000, 2_900]) {
          const { refId } = await cache.set('p', 'p'.repeat(length), { policy: AccessPolicy.executeOnly })
          const put: Edit = { op: 'add', path: '/p', value: refId }
          const answersTo = []
          for (const padding of [1, 1_000, 1_200, 1_400, 1_600, 2_500]) {
            const pad: Edit = { op: 'replace', path: '/a', value: 'x'.repeat(padding) }
            answersTo.push(await told(cache, note.refId, [put, pad, ...copies(15)]))
          }
          expect(answersTo[0]).toHaveProperty('changes')
          expect(answersTo.at(-1)).toMatchObject({ code: 'value_too_large' })
          answers.push(JSON.stringify(answersTo))
        }
        expect(new Set(answers).size).toBe(1)
      })
    })

    it('takes no part of it, whether there is one or not', async () => {
      const { cache, document, note } = await secretScene()
      const { refId } = await cache.set(
        'hidden',
        { pin: 4711, list: [1, 2] },
        {
          policy: AccessPolicy.executeOnly,
        },
      )
      const answerTo = (of: string, edit: Edit) =>
        cache.edit(of, [edit], { actor: agent }).then(
          () => 'made',
          (error: Error & { code: string }) => `${error.code}: ${error.message}`,
        )
      const answers = new Set<string>()
      for (const part of ['#/pin', '#/none', '#/list/1', '#/list/2', '#L1', '#L9']) {
        answers.add(await answerTo(document, { op: 'replace', path: '/total', value: refId + part }))
        answers.add(await answerTo(document, { op: 'add', path: '/x', value: { deep: [refId + part] } }))
        answers.add(await answerTo(note, { find: 'NAME', replace: refId + part }))
        answers.add(await answerTo(note, { find: 'not there', replace: refId + part }))
      }
      expect([...answers]).toEqual([expect.stringMatching(/^permission_denied: .*whole reference/)])
    })

    it('tells no key of a copy that holds it', async () => {
      const { cache, document } = await secretScene()
      const pin = await cache.set('pin', '4711', { policy: AccessPolicy.executeOnly })
      const keys = await cache.set('keys', '{"KEY":1}')
      const copy = await cache.edit(keys.refId, [{ find: 'KEY', replace: pin.refId }], { actor: agent })
      for (const guess of ['4711', '4712']) {
        const value = `${copy.refId}#/${guess}`
        await expect(
          cache.edit(document, [{ op: 'replace', path: '/total', value }], { actor: agent }),
        ).rejects.toMatchObject({ code: 'permission_denied' })
      }
    })

    it('holds the copy to the rights of a value that the caller may see, too', async () => {
      const { cache, document } = await secretScene()
      const own = await cache.set('own', 'for ada', {
        policy: { ...AccessPolicy.userOnly, owner: 'user:ada' },
      })
      const copy = await cache.edit(document, [{ op: 'add', path: '/x', value: own.refId }], { actor: user })
      expect(await cache.resolve(`${copy.refId}#/x`, { actor: user })).toBe('for ada')
      await expect(cache.get(copy.refId, { actor: agent })).rejects.toMatchObject({ code: 'not_found' })
    })
  })
})

describe('edits that put in more than an input may take', () => {
  const line = `${'x'.repeat(99)}\n`

  async function reads(edits: number) {
    const store = memoryStore()
    let count = 0
    const counting = storeWith(store, {
      readSegment: segment => {
        count++
        return store.readSegment(segment)
      },
    })
    const { cache } = open({ store: counting, maxInputBytes: 1_000_000 })
    const { refId } = await cache.set('log', line.repeat(30_000))
    const { refId: target } = await cache.set('target', {})
    count = 0
    // Each part is another text of some 800 KB.
    const parts = Array.from(
      { length: edits },
      (_, i): Edit => ({ op: 'add', path: `/part${i}`, value: `${refId}#L${i + 1}-L${i + 8_000}` }),
    )
    await expect(cache.edit(target, parts)).rejects.toMatchObject({ code: 'value_too_large' })
    return count
  }

  it('end at the first that is too much: the rest is not read', async () => {
    expect(await reads(40)).toBe(await reads(2))
  })

  it('wait where many hold as much as the process may', async () => {
    const { cache } = open({ maxInputMemoryBytes: 1_000_000 })
    const { refId } = await cache.set('log', line.repeat(10_000))
    const edit: Edit = { find: 'y', replace: 'z' }
    const asked = Array.from({ length: 4 }, () => cache.edit(refId, [edit]))
    // Each takes more than there is: one after the other comes to its end.
    const ended = await Promise.allSettled(asked)
    expect(ended.map(one => one.status)).toEqual(Array(4).fill('rejected'))
    for (const one of ended) expect(one).toMatchObject({ reason: { code: 'invalid_argument' } })
  })
})
