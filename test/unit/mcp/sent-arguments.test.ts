import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/core/json.ts'
import { scene as fastmcpScene } from '../fastmcp/scene.ts'
import { deferred } from '../flow/scene.ts'
import { scene } from './scene.ts'

const ROWS = Array.from({ length: 400 }, (_, n) => ({ n, text: `row ${n}` }))

async function stored() {
  const opened = await scene({
    attach: { adminCheck: () => true, inlineLimit: 1_000 },
    tools: ({ registerTool }) => {
      registerTool('rows', {}, () => ROWS)
      registerTool('slow', { asyncTimeout: 0 }, () => deferred().promise)
    },
  })
  const { body } = await opened.call('rows')
  return { ...opened, refId: String(body.ref_id) }
}

describe('get_cached_result understands', () => {
  const meant: [string, (refId: string) => JsonObject, object][] = [
    ['numbers as text', ref_id => ({ ref_id, page: '2', page_size: '3' }), { page: 2 }],
    ['numbers in quotes and blanks', ref_id => ({ ref_id, page: ' "2" ', page_size: 3 }), { page: 2 }],
    ['false as text', ref_id => ({ ref_id, full: 'false', page: 1 }), { page: 1 }],
    [
      'null for what is left out',
      ref_id => ({ ref_id, page: null, page_size: null, max_size: null, full: null, wait_seconds: null }),
      { is_complete: false },
    ],
    [
      'empty texts for what is left out',
      ref_id => ({ ref_id, page: '', full: 'null', _async_response_format: '' }),
      { is_complete: false },
    ],
    ['blanks round a reference', ref_id => ({ ref_id: `  ${ref_id}\n` }), { is_complete: false }],
    ['quotes round a reference', ref_id => ({ ref_id: `"${ref_id}"` }), { is_complete: false }],
    ['backticks round a reference', ref_id => ({ ref_id: `\`${ref_id}\`` }), { is_complete: false }],
    ['angle brackets round a reference', ref_id => ({ ref_id: `<${ref_id}>` }), { is_complete: false }],
    ['several of them', ref_id => ({ ref_id: `'"<${ref_id}>"' ` }), { is_complete: false }],
    ['a choice in other letters', ref_id => ({ ref_id, _async_response_format: '"Full"' }), {}],
  ]

  it.each(meant)('%s', async (_, args, expected) => {
    const { call, refId } = await stored()
    const { body, isError } = await call('get_cached_result', args(refId))
    expect(isError).toBe(false)
    expect(body).toMatchObject({ ref_id: refId, status: 'complete', ...expected })
  })

  it.each(['true', 'True'])('%s as text: the value, as its tool gave it', async full => {
    const { client, refId } = await stored()
    const { content } = await client.callTool({
      name: 'get_cached_result',
      arguments: { ref_id: refId, full },
    })
    expect(content).toEqual([{ type: 'text', text: JSON.stringify(ROWS) }])
  })

  it.each([
    ['a page that is no number', { page: 'two' }],
    ['a page that is none', { page: '0' }],
    ['a flag that is none', { full: 'maybe' }],
    ['a reference that is no text', { ref_id: 7 }],
  ])('but not %s', async (_, args) => {
    const { call, refId } = await stored()
    const { body, isError } = await call('get_cached_result', { ref_id: refId, ...args })
    expect(isError).toBe(true)
    expect(body).toMatchObject({ error: { code: 'invalid_argument' } })
  })
})

describe('the other tools of ours understand', () => {
  it('a reference in quotes, to cancel and to retry', async () => {
    const { call } = await stored()
    const { body: handle } = await call('slow')
    const quoted = { ref_id: `"${handle.ref_id}"` }
    expect((await call('cancel_task', quoted)).body).toMatchObject({ status: 'cancelled' })
    expect((await call('retry_task', quoted)).body).toMatchObject({ ref_id: handle.ref_id, is_async: true })
  })

  it('what an operator asks', async () => {
    const { call, refId } = await stored()
    const filters = { statuses: '["complete"]', limit: '1', namespace: null, older_than_seconds: '0' }
    expect((await call('admin_list_references', filters)).body.entries).toMatchObject([{ ref_id: refId }])
    const one = await call('admin_list_references', { statuses: 'complete' })
    expect(one.body.entries).toMatchObject([{ ref_id: refId }])
    expect((await call('admin_show_reference', { ref_id: `<${refId}>` })).body).toMatchObject({
      ref_id: refId,
    })
    const cleared = await call('admin_clear_namespace', { namespace: 'public', confirm: 'true' })
    expect(cleared.body).toMatchObject({ deleted: 1 })
  })

  it('the reserved argument of every tool', async () => {
    const { call } = await stored()
    const minimal = await call('slow', { _async_response_format: ' "Minimal"' })
    expect(Object.keys(minimal.body)).toEqual(['ref_id', 'status', 'is_complete', 'is_async'])
    expect((await call('slow', { _async_response_format: null })).body).toHaveProperty('message')
  })

  it('the same behind fastmcp', async () => {
    const { connect, cache } = fastmcpScene(() => {})
    const { refId } = await cache.set('rows', ROWS)
    const { call } = await connect()
    const { body } = await call('get_cached_result', { ref_id: `"${refId}"`, page: '2', full: null })
    expect(body).toMatchObject({ ref_id: refId, page: 2 })
  })
})

describe('an unknown argument', () => {
  it.each([
    ['pageSize', 'page_size'],
    ['ref', 'ref_id'],
    ['wait', 'page'],
    ['max_tokens', 'max_size'],
  ])('%s is answered with those that there are, nearest first', async (unknown, nearest) => {
    const { call, refId } = await stored()
    const { body, isError } = await call('get_cached_result', { ref_id: refId, [unknown]: 1 })
    expect(isError).toBe(true)
    const { code, message } = body.error as { code: string; message: string }
    expect(code).toBe('invalid_argument')
    expect(message).toContain(`There is no argument '${unknown}'. There are: ${nearest}, `)
    for (const name of ['ref_id', 'page', 'page_size', 'max_size', 'full', 'wait_seconds']) {
      expect(message).toContain(name)
    }
  })

  it('that has no value is left out', async () => {
    const { call, refId } = await stored()
    expect((await call('get_cached_result', { ref_id: refId, cursor: null })).isError).toBe(false)
  })
})

it('listed schemas show one type an argument', async () => {
  const { client } = await stored()
  const { tools } = await client.listTools()
  const get = tools.find(({ name }) => name === 'get_cached_result')
  expect(get?.inputSchema.properties).toMatchObject({
    ref_id: { type: 'string' },
    page: { type: 'integer' },
    full: { type: 'boolean' },
    wait_seconds: { type: 'number' },
  })
})
