import { describe, expect, it } from 'vitest'
import { type AdminCheck, refcacheTool } from '../../../src/fastmcp/index.ts'
import { type Session, scene } from './scene.ts'

const ADMIN_TOOLS = [
  'admin_list_references',
  'admin_show_reference',
  'admin_delete_reference',
  'admin_clear_namespace',
  'admin_stats',
]

const isOperator: AdminCheck<Session> = session => session?.role === 'operator'

const operated = (adminCheck: AdminCheck<Session> | undefined = isOperator) =>
  scene(
    (server, cache) =>
      server.addTool(
        refcacheTool<Session>(cache, { name: 'make', envelope: 'always', execute: () => ['hunter2'] }),
      ),
    {},
    { adminCheck },
  )

describe('the admin tools of fastmcp', () => {
  it('are not there without a check', async () => {
    const { client } = await scene(() => {}).connect()
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names.filter(name => name.startsWith('admin_'))).toEqual([])
  })

  it('are those of every other adapter', async () => {
    const { client } = await operated().connect()
    const tools = (await client.listTools()).tools.filter(({ name }) => name.startsWith('admin_'))
    expect(tools.map(({ name }) => name)).toEqual(ADMIN_TOOLS)
    expect(tools.find(({ name }) => name === 'admin_stats')?.annotations).toMatchObject({
      title: 'Cache statistics',
      readOnlyHint: true,
    })
  })

  it('are for whom the check says true, by what authenticate gave, and give no value', async () => {
    const { connect } = operated()
    const alice = await connect({ sub: 'alice' })
    const operator = await connect({ sub: 'olga', role: 'operator' })
    const { ref_id } = (await alice.call('make')).body
    const { body } = await operator.call('admin_list_references')
    expect(body.entries).toMatchObject([{ ref_id, tool_name: 'make' }])
    expect(JSON.stringify(body)).not.toContain('hunter2')
    expect(await operator.call('admin_stats')).toMatchObject({ body: { count: 1 } })
    expect(
      await alice.call('admin_clear_namespace', { namespace: 'user:alice', confirm: true }),
    ).toMatchObject({
      isError: true,
      body: { error: { code: 'permission_denied' } },
    })
    expect((await alice.call('get_cached_result', { ref_id })).body.status).toBe('complete')
  })

  const no: ReadonlyArray<[string, AdminCheck<Session>]> = [
    ['throws', () => Promise.reject(new Error('hunter2'))],
    ['says something else', () => 'yes' as unknown as boolean],
  ]
  it.each(no)('are for nobody where the check %s', async (_, adminCheck) => {
    const { call } = await operated(adminCheck).connect({ role: 'operator' })
    for (const tool of ADMIN_TOOLS) {
      const { body } = await call(tool, {})
      expect(body).toMatchObject({ error: { code: 'permission_denied' } })
      expect(JSON.stringify(body)).not.toContain('hunter2')
    }
  })
})
