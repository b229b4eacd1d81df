import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json.ts'
import { serverOf, Wired } from './wired.ts'

const open: Wired[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(wired => wired.close()))
})

const text = (value: string) => ({ type: 'text', text: value })
const image = { type: 'image', data: Buffer.alloc(3_000, 7).toString('base64'), mimeType: 'image/png' }
const file = Array.from({ length: 500 }, (_, n) => `line ${n + 1}`).join('\n')
const rows = `{"rows": [${Array.from({ length: 500 }, (_, n) => `{"n": ${n}, "price": ${n}.50}`).join(', ')}]}`

const RESULTS: Record<string, JsonObject> = {
  read: { content: [text(file)], structuredContent: { content: file } },
  query: { content: [text(rows)] },
  shoot: { content: [text(file), image, text('the end')] },
}

const takeSchema = {
  type: 'object',
  properties: { text: { type: 'string' }, record: { type: 'object' }, list: { type: 'array' } },
}
const TOOLS = [{ name: 'take', inputSchema: takeSchema }]

/** A client whose server has `read`, `query` and `shoot`, and `take`, which says what it was given. */
async function connect() {
  const taken: JsonValue[] = []
  const serve = serverOf(line => {
    const { params } = JSON.parse(line)
    const result = RESULTS[params.name]
    if (result) return JSON.stringify(result)
    taken.push(line.slice(line.indexOf('"arguments":') + 12, line.lastIndexOf('}}')))
    return JSON.stringify({ content: [text('taken')] })
  }, JSON.stringify(TOOLS))
  const wired = await Wired.open(serve, { settings: { defaults: { inline: 200, maxSize: 200 }, tools: {} } })
  open.push(wired)
  const introduce = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'c', version: '1' },
  }
  await wired.ask('init', 'initialize', JSON.stringify(introduce))
  await wired.ask('list', 'tools/list')
  let id = 0
  const call = async (name: string, args: object = {}) =>
    (await wired.poll(++id, name, args)) as never as Answer
  const refOf = async (name: string) => String((await call(name)).structuredContent.ref_id)
  return { call, taken, refOf }
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

describe('a part of a result', () => {
  it('reaches the server as its schema wants it, byte for byte', async () => {
    const { call, taken, refOf } = await connect()
    const [read, query] = [await refOf('read'), await refOf('query')]
    await call('take', { text: `${read}#L3-L4` })
    await call('take', { text: `${query}#/rows/7`, record: `${query}#/rows/8` })
    await call('take', { text: 'https://example.com/#L3', list: [`${read}#/content/0`] })
    expect(taken.map(args => String(args).replaceAll(/,"_meta".*/g, ''))).toEqual([
      expect.stringContaining('{"text":"line 3\\nline 4"'),
      expect.stringContaining('{"text":"{\\"n\\":7,\\"price\\":7.50}","record":{"n":8,"price":8.50}'),
      expect.stringContaining(`{"text":"https://example.com/#L3","list":[${JSON.stringify(file)}]`),
    ])
  })

  it('is read with get_cached_result, an image as itself', async () => {
    const { call, refOf } = await connect()
    const ref_id = `${await refOf('query')}#/rows/7/n`
    expect((await call('get_cached_result', { ref_id })).structuredContent).toMatchObject({
      ref_id,
      is_complete: true,
      value: 7,
    })
    const shot = await refOf('shoot')
    const shown = await call('get_cached_result', { ref_id: `${shot}#/content/1` })
    expect(shown.content).toEqual([image])
    const last = await call('get_cached_result', { ref_id: `${shot}#/content/2` })
    expect(last.structuredContent.value).toBe('the end')
  })

  it('that is not there is refused, and the server hears nothing of it', async () => {
    const { call, taken, refOf } = await connect()
    const query = await refOf('query')
    for (const fragment of ['#/rows/500', '#rows', '#/row/1']) {
      const asked = await call('get_cached_result', { ref_id: query + fragment })
      const passed = await call('take', { text: query + fragment })
      for (const answer of [asked, passed]) {
        expect(answer.isError, fragment).toBe(true)
        expect(JSON.stringify(answer.content), fragment).toContain('invalid_argument')
      }
    }
    expect(taken).toEqual([])
  })
})
