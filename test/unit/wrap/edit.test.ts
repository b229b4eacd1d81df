import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json.ts'
import { serverOf, Wired } from './wired.ts'

const open: Wired[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(wired => wired.close()))
})

const text = (value: string) => ({ type: 'text', text: value })

/** A document as a careful server gives it: laid out in lines, with digits and escapes that must stay. */
const rows = Array.from({ length: 1_600 }, (_, at) => ({
  id: at,
  title: `Item ${at}: Straße`,
  cells: [at, `note ${at}`, at % 7 === 0],
}))
const document = JSON.stringify({ title: 'plan', rows }, null, 2)
  .replaceAll('ß', '\\u00df')
  .replace('"id": 17,', '"id": 12345678901234567890,')
  .replace('"id": 18,', '"id": 1e400,')
const file = Array.from({ length: 900 }, (_, n) => `\tline ${n + 1}; é`).join('\r\n')

const RESULTS: Record<string, JsonObject> = {
  read_document: { content: [text(document)], structuredContent: { result: '' } },
  read_text: { content: [text(document)] },
  read_file: { content: [text(file)], structuredContent: { content: file } },
}

const TOOLS = [
  {
    name: 'update',
    inputSchema: { type: 'object', properties: { body: { type: 'string' }, document: { type: 'object' } } },
  },
]

/** A client whose server reads documents, and has `update`, which says in what bytes it was given. */
async function connect(client = 'c') {
  const taken: string[] = []
  const serve = serverOf(line => {
    const { params } = JSON.parse(line)
    if (params.name === 'read_document') {
      // Both forms, each in its own bytes.
      return `{"content":[{"type":"text","text":${JSON.stringify(document)}}],"structuredContent":{"result":${document.replace(/\n */g, '')}}}`
    }
    const result = RESULTS[params.name]
    if (result) return JSON.stringify(result)
    taken.push(line)
    return JSON.stringify({ content: [text('taken')] })
  }, JSON.stringify(TOOLS))
  const wired = await Wired.open(serve)
  open.push(wired)
  const introduce = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: client, version: '1' },
  }
  await wired.ask('init', 'initialize', JSON.stringify(introduce))
  await wired.ask('list', 'tools/list')
  let id = 0
  const call = async (name: string, args: JsonValue = {}) =>
    (await wired.poll(++id, name, args as object)) as never as Answer
  const refOf = async (name: string) => String((await call(name, { _as_ref: true })).structuredContent.ref_id)
  return { call, taken, refOf, wired }
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

const bodyOf = (sent: string | undefined) => JSON.parse(sent ?? '{}').params.arguments.body as string

describe('edit_cached_result', () => {
  it.each(['read_text', 'read_document'])(
    'changes a row of what %s gave, and the server gets the rest to the byte',
    async tool => {
      const { call, taken, refOf } = await connect()
      const ref = await refOf(tool)
      const row = await call('get_cached_result', { ref_id: `${ref}#/rows/17` })
      expect(JSON.stringify(row)).toContain('Item 17')
      const edits = [
        { op: 'test', path: '/rows/17/title', value: 'Item 17: Straße' },
        { op: 'replace', path: '/rows/17/cells/1', value: 'changed' },
      ]
      const { structuredContent: edited } = await call('edit_cached_result', { ref_id: ref, edits })
      expect(edited).toMatchObject({
        derived_from: ref,
        changes: [{ at: '#/rows/17/cells/1', before: 'note 17', after: 'changed' }],
      })
      expect(edited.size).toBeGreaterThan(10_000)
      await call('update', { body: edited.ref_id })
      const changed = document.replace('"note 17"', '"changed"')
      expect(bodyOf(taken[0])).toBe(tool === 'read_text' ? changed : `{"result":${changed}}`)
      await call('update', { document: edited.ref_id })
      expect(taken[1]).toContain('12345678901234567890')
      expect(taken[1]).toContain('1e400')
      expect(JSON.stringify(edited).length + JSON.stringify(row).length).toBeLessThan(1_500)
    },
  )

  it('changes a text by find and replace, in both places where it stands', async () => {
    const { call, taken, refOf } = await connect()
    const ref = await refOf('read_file')
    const edits = [{ find: 'line 312; é\r\n\tline 313', replace: 'lines 312 and 313' }]
    const { structuredContent: edited } = await call('edit_cached_result', { ref_id: ref, edits })
    expect(edited.changes[0].at).toBe('#L312')
    await call('update', { body: edited.ref_id })
    const changed = file.replace('line 312; é\r\n\tline 313', 'lines 312 and 313')
    expect(bodyOf(taken[0])).toBe(changed)
    const whole = await call('get_cached_result', { ref_id: edited.ref_id, full: true })
    expect(whole).toMatchObject({ content: [text(changed)], structuredContent: { content: changed } })
  })

  it('puts numbers in to the last digit', async () => {
    const { call, taken, refOf, wired } = await connect()
    const ref = await refOf('read_text')
    const edits =
      '[{"op":"replace","path":"/rows/0/id","value":98765432109876543210},{"op":"replace","path":"/rows/1/id","value":1.50}]'
    const answer = JSON.parse(
      await wired.ask(
        'e',
        'tools/call',
        `{"name":"edit_cached_result","arguments":{"ref_id":"${ref}","edits":${edits}}}`,
      ),
    )
    await call('update', { body: answer.result.structuredContent.ref_id })
    expect(bodyOf(taken[0])).toBe(
      document.replace('"id": 0', '"id": 98765432109876543210').replace('"id": 1,', '"id": 1.50,'),
    )
  })

  it('takes one edit, and edits as models write them', async () => {
    const { call, refOf } = await connect()
    const ref = await refOf('read_text')
    const edit = { op: 'replace', path: '#/title', value: 'x' }
    for (const edits of [edit, JSON.stringify([edit]), [JSON.stringify(edit)], JSON.stringify(edit)]) {
      const { structuredContent } = await call('edit_cached_result', { ref_id: `\`${ref}\``, edits })
      expect(structuredContent.changes, JSON.stringify(edits)).toEqual([
        { at: '#/title', before: 'plan', after: 'x' },
      ])
    }
  })

  it('answers with an error that teaches, and within bounds', async () => {
    const { call, refOf } = await connect()
    const ref = await refOf('read_text')
    for (const edits of [
      [{ op: 'remove', path: '/rows/x' }],
      [{ find: 'Item', replace: '' }],
      'nonsense',
      [],
      [{ op: 'add' }],
    ]) {
      const answer = await call('edit_cached_result', { ref_id: ref, edits })
      expect(answer.isError).toBe(true)
      expect(answer.structuredContent.error.code).toBe('invalid_argument')
      expect(answer.structuredContent.error.message.length).toBeLessThan(1_000)
    }
    const elsewhere = await call('edit_cached_result', {
      ref_id: `other:${'0'.repeat(32)}`,
      edits: [{ op: 'remove', path: '/a' }],
    })
    expect(JSON.stringify(elsewhere)).toContain("belongs to 'other'")
  })

  it.each([
    ['codex-mcp-client', 40_000],
    ['cline', 8_000],
    ['lobehub', 6_000],
  ])('answers %s within its ceiling, whatever the paths and values are', async (client, most) => {
    const { call, refOf } = await connect(client)
    const ref = await refOf('read_text')
    const edits = Array.from({ length: 12 }, (_, n) => ({
      op: 'add',
      path: `/${String(n).repeat(4_000)}`,
      value: '\u0001"'.repeat(1_000),
    }))
    const answer = await call('edit_cached_result', { ref_id: ref, edits })
    const body = JSON.parse(answer.content[0].text)
    expect(answer.content[0].text.length).toBeLessThan(most)
    expect(body.changes.length + body.more_changes).toBe(12)
    expect(body.changes.length).toBeGreaterThan(2)
  })
})
