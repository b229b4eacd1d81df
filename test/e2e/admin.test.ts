import { randomUUID } from 'node:crypto'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type HttpServer, overHttp, startHttpServer } from './fixtures/mcp-clients.ts'
import { PLAIN, Workshop } from './fixtures/wrap-harness.ts'

const ADMIN_TOOLS = [
  'admin_list_references',
  'admin_show_reference',
  'admin_delete_reference',
  'admin_clear_namespace',
  'admin_stats',
]

type Args = Record<string, unknown>
type Body = Args & { ref_id: string }

describe.each([
  ['2026-07-28', 'auto'],
  ['2025-11-25', 'legacy'],
] as const)('over HTTP, on protocol revision %s', (_, mode) => {
  let http: HttpServer
  beforeAll(async () => {
    http = await startHttpServer('admin-http-server')
  })
  afterAll(() => http.close())

  async function as(user?: string) {
    const client = await overHttp(http.url, mode, user)
    onTestFinished(() => client.close())
    return async (name: string, args: Args = {}) =>
      (await client.callTool(name, args)).structuredContent as Body
  }

  it('an operator finds, sees and deletes what is a user’s, and never its value', async () => {
    const [alice, operator] = [await as('alice'), await as('operator')]
    const secret = randomUUID()
    const kept = new Set<string>()
    for (let n = 0; n < 7; n++) kept.add((await alice('keep', { secret })).ref_id)

    const seen: Body[] = []
    for (let cursor: unknown, more = true; more; ) {
      const filter = { namespace: 'user:alice', limit: 3, ...(cursor === undefined ? {} : { cursor }) }
      const page = await operator('admin_list_references', filter)
      seen.push(...(page.entries as Body[]))
      cursor = page.next_cursor
      more = cursor !== undefined
    }
    expect(new Set(seen.map(({ ref_id }) => ref_id))).toEqual(kept)
    const [ref_id = ''] = kept
    const shown = await operator('admin_show_reference', { ref_id })
    expect(shown).toMatchObject({ ref_id, status: 'complete', tool_name: 'keep', namespace: 'user:alice' })
    expect(JSON.stringify([seen, shown, await operator('admin_stats')])).not.toContain(secret)

    expect(await operator('get_cached_result', { ref_id })).toMatchObject({ error: { code: 'not_found' } })
    expect(await operator('admin_delete_reference', { ref_id })).toEqual({ ref_id, deleted: true })
    expect(await alice('get_cached_result', { ref_id })).toMatchObject({ error: { code: 'not_found' } })
    const cleared = await operator('admin_clear_namespace', { namespace: 'user:alice', confirm: true })
    expect(cleared).toEqual({ namespace: 'user:alice', deleted: 6 })
  })

  it.each([['alice'], ['broken'], [undefined]])(
    '%s is denied each tool, even for the own reference',
    async user => {
      const call = await as(user)
      const { ref_id } = await call('keep', { secret: 'mine' })
      const answers: Body[] = []
      for (const name of ADMIN_TOOLS) {
        for (const args of [{}, { ref_id }, { namespace: 'public', confirm: true }])
          answers.push(await call(name, args))
      }
      // One answer for all of them, that says nothing of the reason.
      expect(new Set(answers.map(answer => JSON.stringify(answer))).size).toBe(1)
      expect(answers[0]).toEqual({
        error: { code: 'permission_denied', message: expect.not.stringContaining('directory') },
      })
      expect(await call('get_cached_result', { ref_id })).toMatchObject({ value: ['mine'] })
    },
  )
})

describe('a wrapped server', () => {
  let workshop: Workshop
  beforeEach(() => {
    workshop = new Workshop()
  })
  afterEach(() => workshop.close())

  async function wrapped(wrap: string[], command: readonly string[] = PLAIN) {
    const { client } = await workshop.client(command, { wrap })
    const { tools } = await client.listTools()
    const call = async (name: string, args: Args = {}) => client.callTool({ name, arguments: args })
    return { tools, call }
  }
  const bodyOf = ({ structuredContent }: { structuredContent?: unknown }) => structuredContent as Body

  it('has no admin tools unless they are asked for', async () => {
    const { tools, call } = await wrapped([])
    expect(tools.filter(({ name }) => name.startsWith('admin_'))).toEqual([])
    await expect(call('admin_stats')).rejects.toThrow()
  })

  it('has them with --admin, for what any wrapper of it left in the store', async () => {
    const before = await wrapped(['--async-timeout', '0'])
    const { ref_id } = bodyOf(await before.call('count'))
    await before.call('get_cached_result', { ref_id })

    const { tools, call } = await wrapped(['--admin'])
    const admin = tools.filter(({ name }) => name.startsWith('admin_'))
    expect(admin.map(({ name }) => name)).toEqual(ADMIN_TOOLS)
    expect(admin.at(-2)?.annotations).toMatchObject({ destructiveHint: true })
    const listed = await call('admin_list_references', { namespace: 'public' })
    expect(bodyOf(listed).entries).toEqual([expect.objectContaining({ ref_id, status: 'complete' })])
    expect(JSON.stringify(listed)).not.toContain('call 1')
    expect(bodyOf(await call('admin_stats'))).toMatchObject({ count: 1, by_status: { complete: 1 } })
    expect(bodyOf(await call('admin_delete_reference', { ref_id }))).toEqual({ ref_id, deleted: true })
    expect(bodyOf(await call('admin_show_reference', { ref_id }))).toMatchObject({
      error: { code: 'not_found' },
    })
  })

  it('that has such tools itself keeps them for its own references', async () => {
    const [node = '', main = ''] = [process.execPath, (await import('./fixtures/wrap-harness.ts')).MAIN]
    // A small, quick result would leave nothing to list: the inner one makes a preview, the outer one a handle.
    const config = join(await mkdtemp(join(tmpdir(), 'admin-')), 'config.json')
    await writeFile(config, JSON.stringify({ tools: { list: { asyncTimeout: 0 } } }))
    const inner = [node, main, 'wrap', '--store', 'memory', '--name', 'inner', '--admin']
    const { call, tools } = await wrapped(
      ['--name', 'outer', '--admin', '--config', config],
      [...inner, '--', ...PLAIN],
    )
    expect(tools.filter(({ name }) => name === 'admin_stats')).toHaveLength(1)
    const { ref_id: outer } = bodyOf(await call('list', { size: 500 }))
    await call('refcache_get_cached_result', { ref_id: outer, wait_seconds: 10 })
    const listedBy = async (name: string) =>
      (bodyOf(await call(name)) as unknown as { entries: Body[] }).entries.map(({ ref_id }) => ref_id)
    // The server's own tool keeps its name; ours has another one.
    expect(await listedBy('refcache_admin_list_references')).toEqual([outer])
    expect(await listedBy('admin_list_references')).toEqual([expect.stringMatching(/^inner:/)])
    const foreign = `inner:${'0'.repeat(32)}`
    expect(bodyOf(await call('refcache_admin_show_reference', { ref_id: foreign }))).toMatchObject({
      error: { code: 'not_found' },
    })
  })

  it('refuses --admin together with --http', async () => {
    const raw = workshop.process(['wrap', '--admin', '--http', '0', '--', ...PLAIN])
    expect((await raw.exit).code).toBe(2)
    expect(raw.stderr).toMatch(/--admin is for stdio alone.*\[usage\]/)
  })
})
