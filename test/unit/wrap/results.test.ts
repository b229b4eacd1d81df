import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject, JsonValue } from '../../../src/core/json.ts'
import { parseJson } from '../../../src/core/json-text.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import type { Store } from '../../../src/stores/store.ts'
import type { ToolSettings } from '../../../src/wrap/settings.ts'
import { recordsIn } from '../../records.ts'
import { serverOf, Wired } from './wired.ts'

const REF = 'mcp-refcache/ref_id'
const CAN_RETRY = 'mcp-refcache/can_retry'

const open: Wired[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map(wired => wired.close()))
})

const text = (value: string) => ({ type: 'text', text: value })

interface Options {
  settings?: ToolSettings
  tools?: JsonValue
  store?: Store
  name?: string
}

/** A client whose server has `give`, which answers with what it is told, and `take`, which says what it was given. */
async function connect(
  results: Record<string, JsonObject> = {},
  { settings = {}, tools = [], ...options }: Options = {},
) {
  const taken: JsonValue[] = []
  /** The lines of the calls, as the server got them. */
  const heard: string[] = []
  const serve = serverOf(line => {
    const { params } = JSON.parse(line)
    const result = results[params.name]
    heard.push(line)
    if (result) return JSON.stringify(result)
    taken.push(params.arguments)
    return JSON.stringify({ content: [text('taken')] })
  }, JSON.stringify(tools))
  const wired = await Wired.open(serve, {
    ...options,
    // What most tests look at is larger than what passes as it is.
    settings: { defaults: { inline: settings.maxSize ?? 1_000, ...settings }, tools: {} },
  })
  open.push(wired)
  let id = 0
  const call = async (name: string, args: object = {}) =>
    (await wired.poll(++id, name, args)) as never as Answer
  const introduce = {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'c', version: '1' },
  }
  await wired.ask('init', 'initialize', JSON.stringify(introduce))
  await wired.ask('list', 'tools/list')
  /** All pages, as a reader puts them together. */
  const pagesOf = async (refId: string, args: object = {}) => {
    const pages: Answer['structuredContent'][] = []
    for (let page = 1, total = 1; page <= total; page++) {
      const { structuredContent } = await call('get_cached_result', { ref_id: refId, page, ...args })
      pages.push(structuredContent)
      total = structuredContent.total_pages
    }
    return pages
  }
  return { call, taken, heard, pagesOf }
}

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

const log = Array.from({ length: 3_000 }, (_, n) => `${n} something happened in the log`).join('\n')

describe('a text beside structured content that says something else', () => {
  const result = { content: [text(log)], structuredContent: { exit_code: 0 } }

  it('counts, is previewed with it, and pages with it, to the last byte', async () => {
    const { call, pagesOf } = await connect({ run: result })
    const { structuredContent: preview } = await call('run')
    expect(preview).toMatchObject({ is_complete: false, preview: { structured: { exit_code: 0 } } })
    expect(preview.preview.text).toContain('0 something happened')
    expect(preview.original_size).toBeGreaterThan(20_000)
    const pages = await pagesOf(preview.ref_id, { max_size: 5_000 })
    expect(pages[0]).toMatchObject({ page_unit: 'lines', path: '/text' })
    expect(pages.map(page => page.preview).join('')).toBe(log)
    const rest = await call('get_cached_result', { ref_id: `${preview.ref_id}#/structured` })
    expect(rest.structuredContent.value).toEqual({ exit_code: 0 })
  })

  it('is reached where it is larger than what full gives', async () => {
    const large = 'a line of a large text\n'.repeat(60_000)
    const { call, pagesOf } = await connect({ run: { ...result, content: [text(large)] } })
    const { ref_id } = (await call('run')).structuredContent
    const full = await call('get_cached_result', { ref_id, full: true })
    expect(full.structuredContent.error).toMatchObject({
      code: 'answer_too_large',
      message: expect.stringMatching(/about \d+ tokens.*25000 tokens.*page/),
    })
    const pages = await pagesOf(ref_id, { max_size: 100_000 })
    expect(pages.map(page => page.preview).join('') === large).toBe(true)
  })

  it('is passed on with it', async () => {
    const { call, taken } = await connect({ run: result })
    const { ref_id } = (await call('run')).structuredContent
    await call('take', { value: ref_id })
    expect(taken).toEqual([{ value: { text: log, structured: { exit_code: 0 } } }])
  })
})

describe('a text beside structured content that says the same', () => {
  const rows = Array.from({ length: 100 }, (_, n) => ({ n, name: `name ${n}` }))

  it.each([
    ['the text as a member', [text(log)], { content: log }, log],
    ['the JSON as a member', [text(JSON.stringify(rows))], { result: rows }, { result: rows }],
    ['a text for each item', rows.map(row => text(JSON.stringify(row))), { result: rows }, { result: rows }],
    ['the same JSON, in other words', [text(JSON.stringify({ rows }, null, 2))], { rows }, { rows }],
    ['a list', [text(JSON.stringify(rows))], rows, rows],
  ])('is one value: %s', async (_, content, structuredContent, value) => {
    const { call, taken } = await connect(
      { read: { content, structuredContent } },
      { settings: { maxSize: 100 } },
    )
    const { ref_id, original_size } = (await call('read')).structuredContent
    await call('take', { value: ref_id })
    expect(taken).toEqual([{ value }])
    expect(original_size).toBeLessThan(JSON.stringify(value).length)
  })

  it('counts in the longer form: the model may read either', async () => {
    const pretty = JSON.stringify({ rows: rows.slice(0, 20) }, null, 2)
    const result = { content: [text(pretty)], structuredContent: { rows: rows.slice(0, 20) } }
    const { call } = await connect({ read: result }, { settings: { maxSize: 260 } })
    // As much as a preview may have is all of it.
    expect((await call('read')).structuredContent).toMatchObject({
      ref_id: expect.any(String),
      is_complete: true,
      value: result.structuredContent,
    })
  })
})

describe('lists', () => {
  const rows = Array.from({ length: 5_000 }, (_, n) => ({ n, label: `row ${n}` }))

  it('in structured content page as rows', async () => {
    const { call, pagesOf } = await connect({
      query: { content: [text('5000 rows')], structuredContent: rows },
    })
    const { structuredContent: preview } = await call('query')
    expect(preview.preview.text).toBe('5000 rows')
    const alone = await connect({ query: { content: [], structuredContent: rows } })
    const { ref_id, total_items } = (await alone.call('query')).structuredContent
    expect(total_items).toBe(5_000)
    const pages = await alone.pagesOf(ref_id, { max_size: 10_000 })
    expect(pages[0].page_unit).toBe('items')
    expect(pages.flatMap(recordsIn)).toEqual(rows)
    const beside = await pagesOf(preview.ref_id, { max_size: 50_000 })
    expect(beside[0]).toMatchObject({ path: '/structured', total_items: 5_000 })
    expect(beside.flatMap(recordsIn)).toEqual(rows)
  })

  it('below hundreds of keys, or a key of megabytes, leave the answer small', async () => {
    const deep = parseJson(`${'{"a":'.repeat(500)}[1,2]${'}'.repeat(500)}`) as JsonObject
    const long = { ['k'.repeat(1_000_000)]: [1, 2] }
    const { call } = await connect({
      deep: { content: [], structuredContent: deep },
      long: { content: [], structuredContent: long },
    })
    for (const name of ['deep', 'long']) {
      const { structuredContent } = await call(name)
      const page = await call('get_cached_result', { ref_id: structuredContent.ref_id, page: 1 })
      expect(JSON.stringify(page).length, name).toBeLessThan(20_000)
      expect(page.structuredContent).not.toHaveProperty('path')
    }
  })

  it('under a key stay under it, and page as lists all the same', async () => {
    const structuredContent = { data: { nodes: rows } }
    const result = { content: [text(JSON.stringify(structuredContent))], structuredContent }
    const { call, pagesOf, taken } = await connect({ query: result })
    const { structuredContent: preview } = await call('query')
    expect(preview.preview.data.nodes[0]).toEqual(rows[0])
    const pages = await pagesOf(preview.ref_id, { max_size: 10_000 })
    expect(pages[0]).toMatchObject({ path: '/data/nodes', page_unit: 'items', total_items: 5_000 })
    expect(pages.flatMap(recordsIn)).toEqual(rows)
    await call('take', { value: preview.ref_id })
    expect(taken).toEqual([{ value: structuredContent }])
  })
})

describe('an embedded resource', () => {
  it('is shown without its address where that is endless', async () => {
    const resource = { uri: `file:///${'u'.repeat(100_000)}`, text: log }
    const { call } = await connect({ read: { content: [{ type: 'resource', resource }] } })
    const preview = await call('read')
    expect(preview.structuredContent).toMatchObject({ is_complete: false })
    expect(JSON.stringify(preview).length).toBeLessThan(20_000)
  })

  it('is its text: it pages by lines, and is passed on byte for byte', async () => {
    const resource = { uri: 'file:///var/log', mimeType: 'text/plain', text: log }
    const { call, pagesOf, taken } = await connect({ read: { content: [{ type: 'resource', resource }] } })
    const { structuredContent: preview } = await call('read')
    expect(preview.uri).toBe('file:///var/log')
    const pages = await pagesOf(preview.ref_id)
    expect(pages[0].page_unit).toBe('lines')
    expect(pages.map(page => page.preview).join('')).toBe(log)
    await call('take', { value: preview.ref_id })
    expect(taken).toEqual([{ value: log }])
  })
})

describe('media beside a text', () => {
  const data = Buffer.alloc(3_000, 7).toString('base64')
  const image = { type: 'image', data, mimeType: 'image/png' }

  it('are named beside its preview; full gives them, with nothing around', async () => {
    const result = { content: [text(log), image], _meta: { own: [1] } }
    const { call, pagesOf } = await connect({ shoot: result })
    const { structuredContent: preview, _meta } = await call('shoot')
    expect(preview.media).toEqual([{ type: 'image', mime_type: 'image/png', bytes: 3_000 }])
    expect(_meta).toEqual({ own: [1] })
    expect((await pagesOf(preview.ref_id)).map(page => page.preview).join('')).toBe(log)
    const full = await call('get_cached_result', { ref_id: preview.ref_id, full: true })
    expect(full).toEqual({ ...result, _meta: { own: [1], [REF]: preview.ref_id } })
  })

  it('are not read as text, wherever the result repeats them', async () => {
    const result = { content: [text('a picture'), image], structuredContent: { result: { png: data } } }
    const { call } = await connect({ shoot: result })
    const { _meta, ...seen } = await call('shoot')
    expect(seen).toEqual(result)
  })

  it('are content blocks alone: data of such names is counted', async () => {
    const structuredContent = { type: 'image', data: 'x y z '.repeat(2_000), mimeType: 'image/png' }
    const { call } = await connect({ query: { content: [], structuredContent } })
    const { structuredContent: preview } = await call('query')
    expect(preview.is_complete).toBe(false)
    expect(preview.media).toBeUndefined()
  })
})

describe('a tool that reports an error', () => {
  const failed = {
    content: [text('no luck')],
    structuredContent: { why: [1] },
    isError: true,
    _meta: { own: 1 },
  }

  it('is answered exactly so, to a caller that waits, after a handle, and by another process', async () => {
    const store = memoryStore()
    const { call } = await connect({ fail: failed }, { store })
    const { _meta, ...seen } = await call('fail')
    expect(seen).toEqual({
      content: failed.content,
      structuredContent: failed.structuredContent,
      isError: true,
    })
    // Nothing is kept of it, so there is nothing to name.
    expect(_meta).toEqual({ own: 1 })

    const hasty = await connect({ fail: failed }, { store, settings: { asyncTimeout: 0 } })
    const { ref_id } = (await hasty.call('fail')).structuredContent
    const polled = await hasty.call('get_cached_result', { ref_id })
    expect(polled).toEqual({ ...failed, _meta: { own: 1, [REF]: ref_id, [CAN_RETRY]: true } })
    expect(await call('get_cached_result', { ref_id })).toEqual(polled)
    expect(await call('get_cached_result', { ref_id, full: true })).toEqual(polled)
  })

  it('in many words is shown like any value, as an error, and pages', async () => {
    const { call, pagesOf } = await connect({
      fail: { ...failed, structuredContent: { log }, content: [text(log)] },
    })
    const answer = await call('fail')
    expect(answer).toMatchObject({
      isError: true,
      _meta: { own: 1 },
      structuredContent: { status: 'failed', is_complete: false, error_code: 'task_failed', can_retry: true },
    })
    expect(JSON.stringify(answer.structuredContent).length).toBeLessThan(6_000)
    expect(answer.structuredContent.preview).toContain('0 something happened')
    const pages = await pagesOf(answer.structuredContent.ref_id)
    expect(pages.map(page => page.preview).join('')).toBe(log)
  })

  it('leaves nothing of it when it is tried again', async () => {
    const results: Record<string, JsonObject> = { fail: failed }
    const { call } = await connect(results, { settings: { asyncTimeout: 0 } })
    const { ref_id } = (await call('fail')).structuredContent
    await call('get_cached_result', { ref_id })
    results.fail = { content: [text(log)] }
    await call('retry_task', { ref_id })
    const { structuredContent } = await call('get_cached_result', { ref_id })
    expect(structuredContent).toMatchObject({ status: 'complete', preview: expect.any(String) })
  })
})

describe('a native task', () => {
  const failed = {
    content: [text('no luck')],
    structuredContent: { why: [1] },
    isError: true,
    _meta: { own: 1 },
  }
  const KEYS = { [REF]: expect.any(String), [CAN_RETRY]: true }

  it('of 2026-07-28 completes with the error of the tool, exactly', async () => {
    const { ask, release } = await slowly(failed, '2026-07-28')
    const { taskId } = await ask('tools/call', { name: 'fail', arguments: {} })
    release()
    const task = await settled(() => ask('tasks/get', { taskId }))
    expect(task).toMatchObject({ status: 'completed' })
    expect(task.result).toEqual({ ...failed, resultType: 'complete', _meta: { own: 1, ...KEYS } })
  })

  it('of 2025-11-25 is failed, and its result is the error of the tool, exactly', async () => {
    const { ask, release } = await slowly(failed, '2025-11-25')
    const { task } = await ask('tools/call', { name: 'fail', arguments: {}, task: {} })
    release()
    const { taskId } = task
    const related = { 'io.modelcontextprotocol/related-task': { taskId } }
    expect(await ask('tasks/result', { taskId })).toEqual({
      ...failed,
      _meta: { own: 1, ...KEYS, ...related },
    })
    expect(await ask('tasks/get', { taskId })).toMatchObject({ status: 'failed', statusMessage: 'no luck' })
  })
})

/** A server that answers when it is let, and a client that follows tasks of that revision. */
async function slowly(result: JsonObject, revision: '2025-11-25' | '2026-07-28') {
  let release = () => {}
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  const plain = serverOf((line, say) => {
    void released.then(() => say(JSON.stringify({ jsonrpc: '2.0', id: JSON.parse(line).id, result })))
    return undefined
  })
  const wired = await Wired.open((line, say) =>
    plain(line, said => say(said.replace('2025-06-18', '2025-11-25'))),
  )
  open.push(wired)
  const ours = {
    'io.modelcontextprotocol/protocolVersion': revision,
    'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
  }
  let id = 0
  const ask = async (method: string, params: object): Promise<Answer> => {
    const sent = revision === '2026-07-28' ? { ...params, _meta: ours } : params
    return JSON.parse(await wired.ask(++id, method, JSON.stringify(sent))).result
  }
  if (revision === '2025-11-25') {
    await ask('initialize', {
      protocolVersion: revision,
      capabilities: {},
      clientInfo: { name: 'c', version: '1' },
    })
  }
  return { ask, release }
}

async function settled(read: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const task = await read()
    if (task.status !== 'working') return task
  }
}

describe('an answer after a handle', () => {
  it('is the result of the tool, with its reference and nothing else', async () => {
    const { call } = await connect({ slow: { content: [text('done')] } }, { settings: { asyncTimeout: 0 } })
    const { ref_id } = (await call('slow')).structuredContent
    expect(await call('get_cached_result', { ref_id })).toEqual({
      content: [text('done')],
      _meta: { [REF]: ref_id },
    })
  })
})

describe('the answer of a wrapper that is wrapped', () => {
  const page = {
    ref_id: `inner:${'a'.repeat(32)}`,
    status: 'complete',
    is_complete: false,
    is_async: false,
    preview: log.slice(0, 20_000),
    page: 2,
    total_pages: 9,
  }
  const answer = (body: JsonObject) => ({ content: [text(JSON.stringify(body))], structuredContent: body })

  it('passes as it is, beyond the budget of a preview', async () => {
    const { call } = await connect({ inner: answer(page) })
    expect(await call('inner')).toEqual(answer(page))
  })

  it.each([
    ['too large for any answer', { ...page, preview: log.repeat(3) }],
    ['no reference', { ...page, ref_id: 'inner:7' }],
    ['no status', { ...page, status: 'fine' }],
  ])('is cut like any result where it is %s', async (_, body) => {
    const { call } = await connect({ inner: answer(body) })
    expect((await call('inner')).structuredContent).toMatchObject({ is_complete: false, ref_id: /^wired:/ })
  })

  it('is cut where something else stands beside it', async () => {
    const { call } = await connect({ inner: { ...answer(page), content: [text(log)] } })
    expect((await call('inner')).structuredContent.ref_id).toMatch(/^wired:/)
  })
})

/** A small result that has a reference. */
const KEPT: ToolSettings = { memoize: true }

describe('a reference in the arguments', () => {
  const body = '{\n  "title": "x",\n  "big": 12345678901234567890\n}'
  const tools = [
    { name: 'read', inputSchema: { type: 'object' } },
    {
      name: 'take',
      inputSchema: {
        type: 'object',
        properties: {
          body: { type: 'object' },
          text: { type: 'string' },
          list: { $ref: '#/$defs/list' },
          any: {},
        },
        $defs: { list: { type: ['array', 'null'], items: { type: 'number' } } },
      },
    },
  ]

  it('becomes what the declared schema of the argument wants', async () => {
    const { call, taken, heard } = await connect(
      { read: { content: [text(body)] } },
      { tools, settings: KEPT },
    )
    const refId = (await call('read'))._meta[REF]
    await call('take', { body: refId, text: refId, any: refId })
    expect(taken).toEqual([{ body: JSON.parse(body), text: body, any: body }])
    // To the last digit.
    expect(heard.at(-1)).toContain('"big":12345678901234567890}')
  })

  it('is what a file holds, where its text stands in structured content too', async () => {
    const result = { content: [text(body)], structuredContent: { content: body } }
    const { call, taken } = await connect({ read: result }, { tools, settings: KEPT })
    await call('take', { body: (await call('read'))._meta[REF] })
    expect(taken).toEqual([JSON.parse(`{"body":${body}}`)])
  })

  it('is refused with a code where the value has no such form, and the server hears nothing', async () => {
    const { call, taken } = await connect({ read: { content: [text('prose')] } }, { tools, settings: KEPT })
    const refId = (await call('read'))._meta[REF]
    const refused = await call('take', { body: refId })
    expect(refused).toMatchObject({ isError: true })
    expect(refused.structuredContent.error.code).toBe('invalid_argument')
    const list = await call('take', { list: refId })
    expect(list.structuredContent.error.message).toMatch(
      /The argument arguments\.list takes a value of type array or null/,
    )
    expect(taken).toEqual([])
  })

  it('is filled only where the caller wrote it', async () => {
    const store = memoryStore()
    const { call, taken } = await connect({ read: { content: [text('secret')] } }, { store, settings: KEPT })
    const secret = (await call('read'))._meta[REF]
    const outer = { plant: { content: [], structuredContent: { of: secret } } }
    const planted = await connect(outer, { store, settings: KEPT })
    const refId = (await planted.call('plant'))._meta[REF]
    await call('take', { value: refId })
    expect(taken).toEqual([{ value: { of: secret } }])
  })

  it('of another server on the same store is refused, and says whose it is', async () => {
    const store = memoryStore()
    const files = await connect({ read: { content: [text('x')] } }, { store, name: 'files', settings: KEPT })
    const { call, taken } = await connect({}, { store, name: 'mail' })
    const refId = (await files.call('read'))._meta[REF]
    const refused = await call('take', { value: [refId] })
    expect(refused.structuredContent.error.code).toBe('invalid_argument')
    expect(refused.structuredContent.error.message).toMatch(/'files'/)
    expect(taken).toEqual([])
    const polled = await call('get_cached_result', { ref_id: refId })
    expect(polled.structuredContent.error.code).toBe('not_found')
    expect(polled.structuredContent.error.message).toMatch(/belongs to 'files'/)
    expect(polled.structuredContent.error.message).not.toMatch(/again/)
  })
})
