import { describe, expect, it, vi } from 'vitest'
import type { JsonObject } from '../../../src/core/json.ts'
import type { AdminCheck } from '../../../src/mcp/index.ts'
import { deferred } from '../flow/scene.ts'
import { REVISIONS, scene } from './scene.ts'

const ADMIN_TOOLS = [
  'admin_list_references',
  'admin_show_reference',
  'admin_delete_reference',
  'admin_clear_namespace',
  'admin_stats',
]

const SECRET = 'hunter2'

async function operated(adminCheck: AdminCheck = () => true, era?: 'auto' | 'legacy') {
  const work = deferred()
  const opened = await scene({
    ...(era ? { era } : {}),
    attach: { adminCheck },
    tools: ({ registerTool }) => {
      registerTool('slow', { asyncTimeout: 0 }, (_, task) => {
        task.progress(1, 2, SECRET)
        return work.promise
      })
    },
  })
  return { ...opened, work }
}

const entriesOf = ({ entries }: JsonObject) => entries as JsonObject[]
const denied = { error: { code: 'permission_denied', message: expect.stringContaining('operators') } }

describe('without a check', () => {
  it('there are no admin tools', async () => {
    const { client, call } = await scene({ tools: ({ registerTool }) => void registerTool('a', {}, () => 1) })
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).toEqual([
      'get_cached_result',
      'cancel_task',
      'retry_task',
      'query_cached_result',
      'edit_cached_result',
      'a',
    ])
    await expect(call('admin_stats')).rejects.toThrow()
  })
})

describe('with a check', () => {
  it.each(REVISIONS)('the tools say what they do to a client of %s', async (_, era) => {
    const { client } = await operated(undefined, era)
    const tools = (await client.listTools()).tools.filter(({ name }) => name.startsWith('admin_'))
    expect(tools.map(({ name }) => name)).toEqual(ADMIN_TOOLS)
    for (const { name, annotations, description } of tools) {
      const destroys = name === 'admin_delete_reference' || name === 'admin_clear_namespace'
      expect(annotations).toMatchObject(
        destroys ? { readOnlyHint: false, destructiveHint: true } : { readOnlyHint: true },
      )
      expect(description).toMatch(/^For operators: /)
    }
  })

  const no: [string, AdminCheck][] = [
    ['says no', () => false],
    ['says no later', async () => false],
    [
      'throws',
      () => {
        throw new Error(`no such user: ${SECRET}`)
      },
    ],
    ['rejects', () => Promise.reject(new Error(SECRET))],
    ['says something else', () => 'yes' as unknown as boolean],
    ['says nothing', () => undefined as unknown as boolean],
  ]
  it.each(no)(
    'that %s, each tool is denied, whatever its arguments, and nothing happens',
    async (_, check) => {
      const { call, cache } = await operated(check)
      const { refId } = await cache.set('kept', 1)
      const args: JsonObject[] = [
        {},
        { ref_id: refId },
        { ref_id: 'unknown' },
        { namespace: 'public', confirm: true },
        { bad: SECRET },
      ]
      for (const name of ADMIN_TOOLS) {
        for (const given of args) {
          const { body, isError, text } = await call(name, given)
          expect(isError).toBe(true)
          expect(body).toEqual(denied)
          expect(text).not.toContain(SECRET)
        }
      }
      expect(await cache.exists(refId)).toBe(true)
    },
  )

  it('each call is asked about, with its own context', async () => {
    const answers = [true, false, true]
    const check = vi.fn<AdminCheck>(context => context.mcpReq.method === 'tools/call' && answers.shift()!)
    const { call } = await operated(check)
    const errors = [await call('admin_stats'), await call('admin_stats'), await call('admin_stats')]
    expect(errors.map(({ isError }) => isError)).toEqual([false, true, false])
    expect(check).toHaveBeenCalledTimes(3)
  })
})

describe('an operator', () => {
  it('walks over all references by cursor, and sees no value, input, word or session', async () => {
    const { call, cache, work } = await operated()
    for (let n = 0; n < 120; n++) await cache.set(`label ${n}`, { key: SECRET }, { namespace: 'user:alice' })
    await cache.set('in a session', SECRET, { namespace: `session:${SECRET}` })
    const { body: handle } = await call('slow')
    const seen: JsonObject[] = []
    const texts: string[] = []
    for (let cursor: unknown, more = true; more; ) {
      const { body, text } = await call('admin_list_references', cursor === undefined ? {} : { cursor })
      seen.push(...entriesOf(body))
      texts.push(text)
      cursor = body.next_cursor
      more = cursor !== undefined
    }
    expect(texts).toHaveLength(3)
    expect(new Set(seen.map(({ ref_id }) => ref_id)).size).toBe(122)
    texts.push((await call('admin_show_reference', { ref_id: handle.ref_id })).text)
    texts.push((await call('admin_stats')).text)
    expect(texts.join()).not.toContain(SECRET)
    work.resolve(1)
  })

  it('finds by namespace, tool, status and age', async () => {
    const { call, cache, clock, work } = await operated()
    await cache.set('old', 1, { namespace: 'user:alice', toolName: 'import' })
    await clock.advance('10m')
    const { body: handle } = await call('slow')
    const found = async (args: JsonObject) =>
      entriesOf((await call('admin_list_references', args)).body).map(({ ref_id }) => ref_id)
    expect(await found({ tool_name: 'slow' })).toEqual([handle.ref_id])
    expect(await found({ statuses: ['processing'] })).toEqual([handle.ref_id])
    expect(await found({ newer_than_seconds: 60 })).toEqual([handle.ref_id])
    expect(await found({ older_than_seconds: 600 })).toHaveLength(1)
    expect(await found({ namespace: 'user:alice' })).toHaveLength(1)
    expect(await found({ namespace: 'user:alice', newer_than_seconds: 600 })).toEqual([])
    work.resolve(1)
  })

  it('sees of one reference what there is to know', async () => {
    const { call, clock, work } = await operated()
    const { body: handle } = await call('slow')
    const made = new Date(clock.now()).toISOString()
    const { body } = await call('admin_show_reference', { ref_id: handle.ref_id })
    expect(body).toEqual({
      ref_id: handle.ref_id,
      status: 'processing',
      tool_name: 'slow',
      namespace: 'public',
      policy: { user: 'FULL', agent: 'READ|EXECUTE' },
      created_at: made,
      started_at: made,
      attempt: 1,
      progress: { current: 1, total: 2, percentage: 50 },
    })
    expect((await call('admin_show_reference', { ref_id: 'unknown' })).body).toMatchObject({
      error: { code: 'not_found' },
    })
    work.resolve(1)
  })

  it('deletes what belongs to somebody else, and stops its work', async () => {
    const stopped = deferred()
    const { call, cache } = await scene({
      attach: { adminCheck: () => true },
      tools: ({ registerTool }) => {
        registerTool('slow', { asyncTimeout: 0, namespace: 'public' }, (_, { signal }) => {
          signal.addEventListener('abort', stopped.resolve)
          return stopped.promise
        })
      },
    })
    const { refId } = await cache.set('hers', 1, { namespace: 'user:alice' })
    const { body: handle } = await call('slow')
    for (const ref_id of [refId, handle.ref_id]) {
      expect((await call('admin_delete_reference', { ref_id })).body).toEqual({ ref_id, deleted: true })
      expect((await call('admin_show_reference', { ref_id })).body).toMatchObject({
        error: { code: 'not_found' },
      })
    }
    await stopped.promise
  })

  it('clears one namespace, also one that is shown without its session, only when told so in so many words', async () => {
    const { call, cache } = await operated()
    for (const namespace of ['public', 'user:alice', 'session:one', 'session:two']) {
      await cache.set('a', 1, { namespace })
      await cache.set('b', 2, { namespace })
    }
    const count = async () => (await call('admin_stats')).body.count
    for (const args of [
      {},
      { confirm: true },
      { namespace: 'public' },
      { namespace: 'public', confirm: false },
    ]) {
      expect((await call('admin_clear_namespace', args)).body).toMatchObject({
        error: { code: 'invalid_argument' },
      })
    }
    expect(await count()).toBe(8)

    const namespaces = entriesOf((await call('admin_list_references')).body).map(({ namespace }) => namespace)
    const session = namespaces.find(name => String(name).startsWith('session'))
    for (const namespace of ['user:alice', session]) {
      const { body } = await call('admin_clear_namespace', { namespace, confirm: true })
      expect(body).toEqual({ namespace, deleted: 2 })
    }
    expect(await count()).toBe(4)
    expect((await cache.stats({ namespace: 'public' })).count).toBe(2)
  })

  it('counts, and an answer names only so many tools', async () => {
    const { call, cache } = await operated()
    for (let n = 0; n < 103; n++) await cache.set('v', 'abc', { toolName: `tool ${n}` })
    await cache.set('v', 'abc', { toolName: 'tool 0' })
    const { body } = await call('admin_stats')
    expect(body).toMatchObject({
      count: 104,
      value_bytes: 520,
      by_status: { pending: 0, processing: 0, complete: 104, failed: 0, cancelled: 0 },
      more_tools: 3,
      oldest: { status: 'complete' },
    })
    expect(body.by_tool).toHaveLength(100)
    expect((body.by_tool as JsonObject[])[0]).toEqual({ tool_name: 'tool 0', count: 2, value_bytes: 10 })
    expect((await call('admin_stats', { namespace: 'user:nobody' })).body).toMatchObject({
      count: 0,
      by_tool: [],
    })
  })

  it.each([
    ['admin_list_references', { limit: 201 }],
    ['admin_list_references', { cursor: 'made up' }],
    ['admin_list_references', { statuses: ['done'] }],
    ['admin_list_references', { everything: true }],
    ['admin_show_reference', {}],
    ['admin_delete_reference', {}],
    ['admin_clear_namespace', { namespace: 'everybody', confirm: true }],
    ['admin_stats', { namespace: '' }],
  ] as [string, JsonObject][])('is told what is wrong with %s %j', async (name, args) => {
    const { call } = await operated()
    expect((await call(name, args)).body).toMatchObject({ error: { code: 'invalid_argument' } })
  })
})
