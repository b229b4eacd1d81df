import { afterEach, describe, expect, it } from 'vitest'
import { countTokens } from '../../../src/preview/preview.ts'
import { serverOf, Wired } from './wired.ts'

const open: Wired[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(wired => wired.close()))
})

const text = (value: string) => JSON.stringify({ content: [{ type: 'text', text: value }] })

const logs = Array.from({ length: 4_000 }, (_, at) => ({
  ts: new Date(1_700_000_000_000 + at * 1_000).toISOString(),
  level: at % 500 === 0 ? 'error' : 'info',
  user: { id: at % 7, name: `user ${at % 7}` },
}))

const RESULTS: Record<string, string> = {
  read_logs: text(JSON.stringify({ took: 3, logs })),
  read_csv: text(
    `\ufeffid;name;price\r\n${Array.from({ length: 900 }, (_, at) => `${at};"a ""b""\n${at}";$${at},000.50`).join('\r\n')}`,
  ),
  read_lines: text(Array.from({ length: 900 }, (_, at) => `line ${at} of a log`).join('\n')),
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

/** A client that asks what its server's tools give. */
async function connect() {
  const wired = await Wired.open(serverOf(line => RESULTS[JSON.parse(line).params.name] ?? '{"content":[]}'))
  open.push(wired)
  let id = 0
  const call = async (name: string, args: object = {}) =>
    (await wired.poll(`call ${++id}`, name, args)) as never as Answer
  const ask = async (tool: string, sql: string, more: object = {}) => {
    const { ref_id } = (await call(tool, { _as_ref: true })).structuredContent
    return call('query_cached_result', { ref_id, sql, ...more })
  }
  return { call, ask }
}

describe('query_cached_result', { timeout: 60_000 }, () => {
  it('answers with a reference and a dense table, in few tokens, and the answer can be asked again', async () => {
    const { call, ask } = await connect()
    const answer = await ask('read_logs', 'select level, count(*) n from logs group by 1 order by n')
    expect(answer.structuredContent).toEqual({
      ref_id: expect.stringMatching(/^[a-z-]+:[0-9a-f]{32}$/),
      columns: ['level', 'n'],
      rows: [
        ['error', 8],
        ['info', 3_992],
      ],
    })
    const { ref_id } = answer.structuredContent
    const one = await call('query_cached_result', { ref_id, sql: 'select sum(n) n from items' })
    expect(one.structuredContent.rows).toEqual([[4_000]])
    expect(await countTokens(one.content[0].text)).toBeLessThanOrEqual(50)
    const many = await ask('read_logs', "select rowid id from logs where level = 'info' limit 100")
    expect(many.structuredContent.rows).toHaveLength(100)
    const page = await call('get_cached_result', { ref_id: many.structuredContent.ref_id, page: 1 })
    expect(JSON.stringify(page)).toContain('101')
  })

  it('shows a large answer as a preview that pages', async () => {
    const { ask } = await connect()
    const { structuredContent } = await ask('read_logs', 'select * from logs')
    expect(structuredContent).toMatchObject({ is_complete: false, total_items: 4_000 })
  })

  it('asks texts: CSV with all its quirks, and lines', async () => {
    const { ask } = await connect()
    const csv = await ask('read_csv', 'select name, number(price) p from rows where id = 899')
    expect(csv.structuredContent.rows).toEqual([['a "b"\n899', 899_000.5]])
    const lines = await ask('read_lines', "select line from lines where text regexp '^line 7[0-1]0 '")
    expect(lines.structuredContent.rows).toEqual([[701], [711]])
  })

  it('teaches whoever asks what cannot be answered', async () => {
    const { ask } = await connect()
    for (const [sql, said] of [
      ['select * from itms', 'There are: '],
      ['select lvel from logs', 'There are, in logs: level'],
      ['drop table logs', 'one SELECT'],
      ["select user->>'id' || user->>'name' from logs", 'parentheses'],
    ] as const) {
      const { isError, structuredContent } = await ask('read_logs', sql)
      expect([sql, isError, structuredContent.error.code]).toEqual([sql, true, 'invalid_argument'])
      expect(structuredContent.error.message).toContain(said)
    }
    const { structuredContent } = await ask('read_logs', "select * from logs where level = 'fatal'")
    expect(structuredContent).toMatchObject({
      rows: [],
      message: expect.stringContaining('logs has 4000 rows'),
    })
  })

  it('searches lines and items, and says so where a question is both or neither', async () => {
    const { call, ask } = await connect()
    const { ref_id } = (await call('read_lines', { _as_ref: true })).structuredContent
    const found = await call('query_cached_result', { ref_id, search: 'line 71 ', context: 1 })
    expect(found.structuredContent).toMatchObject({ ref_id: expect.not.stringContaining(ref_id), matched: 1 })
    const both = await ask('read_lines', 'select 1', { search: 'x' })
    expect(both.structuredContent.error.message).toContain('exactly one')
  })
})
