import { expect } from 'vitest'
import { type DenseTable, recordsOf } from '../../../src/preview/dense.ts'
import { inWorker } from './deadline.ts'
import type { Answer, Attack, Scene } from './door.ts'
import { ESCAPES, hidden, refOf, toldTo } from './steps.ts'
import { missingAndForbidden } from './timing.ts'

/** Members that would reach a prototype where somebody copies them by assignment. */
const POLLUTING = '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},"n":1}'

const DEEP = 100_000

/** Attacks with what is in inputs, values and names. */
export const CRAFTING: readonly Attack[] = [
  {
    id: 'polluted-input',
    tries: 'to reach a prototype with members of an input, and of values that a reference puts there',
    guardedBy: 'src/core/input.ts',
    aboutIdentity: false,
    async attempt({ mallory }) {
      const stored = refOf(await mallory.callWith('store', `{"value":${POLLUTING}}`))
      const admin = refOf(await mallory.call('store', { value: { admin: true } }))
      const inputs = [
        POLLUTING,
        JSON.stringify(stored),
        `{"__proto__":"${admin}"}`,
        `{"__proto__":"${stored}","a":"${admin}"}`,
        `{"constructor":{"prototype":"${admin}"}}`,
      ]
      for (const input of inputs) {
        const { body } = await mallory.callWith('inspect', `{"value":${input},"__proto__":{"value":1}}`)
        expect(body).toMatchObject({ value: { plain: true, admin: null, polluted: null } })
        // It stays what it is: a member with that name.
        const { said } = await mallory.callWith('echo', `{"value":${input}}`)
        expect(said).toContain(
          input.includes('__proto__') || input.includes(stored) ? '__proto__' : 'constructor',
        )
      }
      expect('admin' in {}).toBe(false)
    },
  },
  {
    id: 'polluted-value',
    tries: 'to reach a prototype with members of a value, of its previews and pages',
    guardedBy: 'src/preview/parts.ts',
    aboutIdentity: false,
    async attempt({ mallory, host }) {
      const value = Array.from({ length: 300 }, () => JSON.parse(POLLUTING) as unknown)
      const { refId } = await host.set('polluted', value, { namespace: 'user:mallory' })
      for (const asking of [{}, { page: 1 }, { page: 1, pageSize: 2 }, { full: true }, { maxSize: 100 }]) {
        const { code, body } = await mallory.act('get', refId, asking)
        expect(code).toBeUndefined()
        // It stays what it is, also where it is cut: a member with that name, or a column of a table.
        const { columns, rows, preview, value } = body
        const shown = rows ? recordsOf({ columns, rows } as DenseTable) : (preview ?? value)
        expect(JSON.stringify(shown)).toContain('{"__proto__":{"admin":true}')
      }
      const single = await host.set('single', JSON.parse(POLLUTING), { namespace: 'user:mallory' })
      for (const asking of [{}, { page: 1 }, { page: 1, pageSize: 1 }, { maxSize: 4 }]) {
        expect((await mallory.act('get', single.refId, asking)).code).toBeUndefined()
      }
      expect('admin' in {}).toBe(false)
    },
  },
  {
    id: 'deep-input',
    tries: 'an input of 100,000 levels: of lists, of objects, for a schema that calls itself',
    guardedBy: 'src/core/serialize.ts',
    aboutIdentity: false,
    async attempt({ alice, mallory, host }) {
      const own = (await host.set('own', [1], { namespace: 'user:mallory' })).refId
      for (const core of ['1', `"${own}"`]) {
        for (const value of [deepList(core), deepObject(core)]) {
          for (const tool of ['echo', 'store', 'tree']) {
            const { code } = await mallory.callWith(tool, `{"value":${value}}`)
            expect(code, tool).toBe('invalid_argument')
          }
        }
      }
      expect((await alice.call('echo', { value: 1 })).body).toMatchObject({ value: 1 })
    },
  },
  {
    id: 'deep-body',
    tries:
      'requests of 100,000 levels where nobody expects depth: in ids, in params, in names, in claims of a caller',
    guardedBy: 'src/mcp/attach.ts',
    needs: ['raw'],
    aboutIdentity: false,
    async attempt({ alice, door }) {
      const [list, object] = [deepList('1'), deepObject('1')]
      for (const deep of [list, object]) {
        const call = (params: string) => `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`
        const bodies = [
          deep,
          `{"jsonrpc":"2.0","id":${deep},"method":"tools/call"}`,
          call(deep),
          call(`{"name":${deep},"arguments":{}}`),
          call(`{"name":"echo","arguments":${deep}}`),
          call(`{"name":"echo","arguments":{},"_meta":${deep}}`),
          call(`{"name":"get_cached_result","arguments":{"ref_id":${deep}}}`),
          call(`{"name":"get_cached_result","arguments":{"ref_id":"x","page":${deep}}}`),
          call(`{"name":"cancel_task","arguments":{"ref_id":"x","more":${deep}}}`),
        ]
        for (const body of bodies) await door.post?.({ id: 'mallory' }, body)
      }
      expect((await alice.call('echo', { value: 1 })).body).toMatchObject({ value: 1 })
    },
  },
  {
    id: 'deep-value',
    tries: 'a result of 100,000 levels, or one that gets so deep by references',
    guardedBy: 'src/core/serialize.ts',
    aboutIdentity: false,
    async attempt({ alice, mallory, host }) {
      expect((await mallory.call('deep_result')).code).toBeDefined()
      const value: unknown = JSON.parse(deepList('1'))
      await expect(host.set('deep', value)).rejects.toMatchObject({ code: 'not_serializable' })
      let refId = refOf(await mallory.callWith('store', `{"value":${deepList('1', 480)}}`))
      const answers: Answer[] = []
      for (let level = 0; level < 12; level++) {
        refId = refOf(await mallory.callWith('store', `{"value":${deepList(`"${refId}"`, 480)}}`))
        answers.push(await mallory.callWith('echo', `{"value":${deepList(`"${refId}"`, 480)}}`))
      }
      for (const { code } of answers) expect(REFUSED).toContain(code)
      expect((await alice.call('echo', { value: 1 })).body).toMatchObject({ value: 1 })
    },
  },
  {
    id: 'exploding-references',
    tries: 'a list of references to lists of references to lists: small to say, too large to hold',
    guardedBy: 'src/flow/call/fill-input.ts',
    aboutIdentity: false,
    cache: { maxValueBytes: 2_000_000, maxInputBytes: 2_000_000 },
    async attempt({ alice, mallory }) {
      const seed = refOf(await mallory.call('store', { value: 'x'.repeat(1_000) }))
      const wide = await mallory.call('inspect', { value: Array(20_000).fill(seed) })
      expect(REFUSED).toContain(wide.code)
      let refId = seed
      for (let level = 0; level < 12; level++) {
        refId = refOf(await mallory.call('store', { value: Array(10).fill(refId) }))
      }
      expect(REFUSED).toContain((await mallory.call('echo', { value: refId })).code)
      expect(REFUSED).toContain((await mallory.call('mean', { rows: refId })).code)
      expect((await alice.call('echo', { value: 1 })).body).toMatchObject({ value: 1 })
    },
  },
  {
    id: 'heavy-references',
    tries: 'a value that is short to write and large to hold, named a thousand times in one call',
    guardedBy: 'src/flow/call/input-cost.ts',
    stores: ['memory'],
    aboutIdentity: false,
    async attempt({ alice, mallory }) {
      const seed = refOf(await mallory.call('store', { value: Array(20_000).fill({}) }))
      const calls = Array.from({ length: 4 }, () =>
        mallory.call('inspect', { value: Array(1_118).fill(seed) }),
      )
      for (const { code } of await Promise.all(calls)) expect(code).toBe('value_too_large')
      expect((await alice.call('echo', { value: 1 })).body).toMatchObject({ value: 1 })
    },
  },
  {
    id: 'circular-reference',
    tries: 'a value that holds its own reference',
    guardedBy: 'src/flow/call/fill-input.ts',
    aboutIdentity: false,
    async attempt({ mallory }) {
      const refId = refOf(await mallory.call('self'))
      const around = refOf(await mallory.call('store', { value: [{ refId }] }))
      for (const value of [refId, [refId, refId], { deep: { around } }]) {
        const { code, said } = await mallory.call('echo', { value })
        expect(['circular_reference', 'invalid_argument']).toContain(code)
        expect(said).toContain('a reference to itself')
      }
    },
  },
  {
    id: 'slow-pattern',
    tries: 'patterns and names that take a matcher ages',
    guardedBy: 'src/access/pattern.ts',
    needs: ['actors'],
    stores: ['memory'],
    aboutIdentity: false,
    attempt: () =>
      inWorker(async (RefCache: typeof import('../../../src/ref-cache.ts').RefCache) => {
        const stars = `agent:${'*a'.repeat(200)}*b`
        const long = 'a'.repeat(200_000)
        const cache = new RefCache({
          name: 'v',
          namespaces: { 'shared:t': { members: [stars.slice(0, 400)] } },
        })
        const system = { type: 'system' } as const
        const refs = [await cache.set('x', 1, { namespace: 'shared:t', actor: system })]
        for (const policy of [{ allowed: [stars] }, { denied: [stars] }]) {
          refs.push(await cache.set('x', 1, { policy: { user: 0, agent: 0, ...policy } }))
        }
        const asked = [...refs.map(({ refId }) => refId), `v:${long}`, long, `${long}:`.repeat(3)]
        for (const refId of asked) {
          await cache.get(refId, { actor: { type: 'agent', id: long } }).catch(() => {})
        }
        for (const namespace of [`user:${long}`, `org:${'a:'.repeat(100_000)}`, ':'.repeat(100_000)]) {
          await cache.set('x', 1, { namespace }).catch(() => {})
        }
        await cache.close()
      }),
  },
  {
    id: 'wild-names',
    tries:
      'names that are patterns, paths or commands to a store: to clear, to find or to overwrite what is of others',
    guardedBy: 'src/stores/redis.ts',
    needs: ['actors'],
    aboutIdentity: false,
    async attempt({ alice, mallory, host }) {
      const hers = await host.set('hers', 'kept', { namespace: 'user:alice' })
      const wild = [
        ...[
          'user:*',
          'user:%',
          'user:alic_',
          'user:?lice',
          'user:[a]lice',
          "user:alice'or'1'='1",
          'user:alice"',
        ],
        ...['user:al*', 'user:../alice', 'user:alice/..', 'user:__proto__', 'user:alice;DROP', 'user:\\*'],
      ]
      for (const namespace of wild) {
        const { refId } = await host.set('wild', namespace, { namespace })
        await host.set('../../../wild', namespace, { namespace, toolName: "x'; DROP TABLE entries; --" })
        expect((await mallory.act('get', refId)).code).toBe('not_found')
        expect(await host.clear(namespace)).toBe(2)
      }
      for (const namespace of ['*', '%', '', 'user:alice\0', 'user:alice\n', 'user: alice', 'public*']) {
        await expect(host.clear(namespace)).rejects.toMatchObject({ code: 'invalid_argument' })
        await expect(host.set('x', 1, { namespace })).rejects.toMatchObject({ code: 'invalid_argument' })
      }
      for (const label of [ESCAPES, '../../x', '__proto__', "'; --"]) {
        const { refId } = await host.set(label, [label], { namespace: 'user:alice' })
        expect((await alice.act('get', refId)).body).toMatchObject({ value: [label] })
      }
      expect((await alice.act('get', hers.refId)).body).toMatchObject({ value: 'kept' })
    },
  },
  {
    id: 'names-of-tools',
    tries: 'to call what is no tool: paths, control characters, members of every object',
    guardedBy: 'src/mcp/attach.ts',
    aboutIdentity: false,
    async attempt({ alice, mallory }) {
      const names = [
        ...['../../etc/passwd', 'echo/../store', 'echo\0', ' echo', 'ECHO', '', '*', ESCAPES],
        ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'x'.repeat(5_000)],
      ]
      for (const name of names) {
        const { code, said } = await mallory.call(name, { value: 1 })
        expect(code, said).toBeDefined()
      }
      expect((await alice.call('echo', { value: 1 })).body).toMatchObject({ value: 1 })
    },
  },
  {
    id: 'timing',
    tries: 'to tell from the time of an answer whether a reference exists, standing in the process',
    guardedBy: 'src/flow/read/find.ts',
    needs: ['actors'],
    aboutIdentity: false,
    async attempt(scene) {
      const { host, storeName } = scene
      const pairs = storeName === 'memory' ? 1_000 : 400
      const ask = (refId: string) =>
        host.get(refId, { actor: { type: 'agent', id: 'mallory' } }).catch(() => {})
      for (const refIds of await forbidden(scene)) await missingAndForbidden(scene, refIds, { pairs, ask })
      await scene.alice.act('get', await hidden(scene))
      toldTo(scene, scene.alice)
    },
  },
  {
    id: 'timing-over-mcp',
    tries: 'to tell from the time of an answer whether a reference exists, over MCP',
    guardedBy: 'src/flow/read/find.ts',
    needs: ['raw'],
    stores: ['memory'],
    aboutIdentity: false,
    async attempt(scene) {
      const refIds = (await forbidden(scene)).flat()
      await missingAndForbidden(scene, refIds, { pairs: 60, ask: refId => scene.mallory.act('get', refId) })
    },
  },
]

/** What is forbidden to the attacker, for different reasons. */
function forbidden({ host, secret }: Scene): Promise<string[][]> {
  const reasons = [
    { namespace: 'user:alice' },
    { policy: { user: 0, agent: 0 } },
    { policy: { denied: ['agent:mal*'] } },
  ]
  return Promise.all(
    reasons.map(async options => {
      const all = Array.from({ length: 100 }, () => host.set('hers', secret.value, options))
      return (await Promise.all(all)).map(({ refId }) => refId)
    }),
  )
}

/** Ways to be told that there is too much of something. Never `internal`, and never no answer. */
const REFUSED = ['invalid_argument', 'value_too_large', 'task_failed', 'not_serializable']

function deepList(core: string, levels = DEEP): string {
  return '['.repeat(levels) + core + ']'.repeat(levels)
}

function deepObject(core: string, levels = DEEP): string {
  return '{"a":'.repeat(levels) + core + '}'.repeat(levels)
}
