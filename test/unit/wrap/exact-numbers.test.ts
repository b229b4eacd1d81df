import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { stringifyJson } from '../../../src/core/json-text.ts'
import { sqliteStore } from '../../../src/stores/sqlite.ts'
import { serverOf, Wired, type WiredOptions } from './wired.ts'

/** Numbers that a double would change, as servers in other languages write them. */
const NUMBERS = '[725653563933458437,0.50,1e400,-0,1.0,-12345678901234567890.123456789,1E+2,9007199254740993]'

let folder: string
const opened: Wired[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'refcache-numbers-'))
})
afterEach(async () => {
  for (const wired of opened.splice(0)) await wired.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Hardly anything is small enough to pass as it is, and any answer may be whole. */
async function wired(serve: Parameters<typeof Wired.open>[0], options?: WiredOptions): Promise<Wired> {
  const one = await Wired.open(serve, {
    limits: { inlineLimit: 1_000, answerCeiling: 1_000_000 },
    ...options,
  })
  opened.push(one)
  return one
}

const call = (args: string, name = 't') => `{"name":"${name}","arguments":${args}}`

describe('numbers of others', () => {
  it('reach the client in results, structured content and _meta as they were sent', async () => {
    const result = `{"content":[{"type":"text","text":"x","_meta":{"n":0.50}}],"structuredContent":{"ids":${NUMBERS}},"_meta":{"at":${NUMBERS}}`
    const session = await wired(serverOf(() => `${result}}`))
    const answer = await session.ask(1, 'tools/call', call('{}'))
    expect(answer).toContain(`"structuredContent":{"ids":${NUMBERS}}`)
    expect(answer).toContain(`"_meta":{"at":${NUMBERS}`)
    expect(answer).toContain('"_meta":{"n":0.50}')
  })

  it('reach the server in arguments and _meta', async () => {
    const heard: string[] = []
    const session = await wired(
      serverOf(line => {
        heard.push(line)
        return '{"content":[]}'
      }),
    )
    await session.ask(
      1,
      'tools/call',
      `{"name":"t","arguments":{"ids":${NUMBERS}},"_meta":{"own":${NUMBERS}}}`,
    )
    expect(heard[0]).toContain(`"ids":${NUMBERS}`)
    expect(heard[0]).toContain(`"own":${NUMBERS}`)
  })

  it('make two calls of two ids that are one double', async () => {
    let runs = 0
    const serve = serverOf(() => {
      runs++
      return `{"content":[{"type":"text","text":"run ${runs}"}]}`
    })
    const session = await wired(serve, { settings: { defaults: { memoize: true }, tools: {} } })
    const of = async (id: number, args: string) => {
      const { result } = JSON.parse(await session.ask(id, 'tools/call', call(args)))
      return result.content[0].text
    }
    expect(await of(1, '{"id":9007199254740993}')).toBe('run 1')
    expect(await of(2, '{"id":9007199254740992}')).toBe('run 2')
    expect(await of(3, '{"id":9007199254740993}')).toBe('run 1')
  })

  it('pass in messages that only pass by, in both directions', async () => {
    const heard: string[] = []
    const session = await wired((line, say) => {
      heard.push(line)
      if (line.includes('"resources/read"')) {
        say(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":${NUMBERS}}}`)
        say(`{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{"n":${NUMBERS}}}`)
        say(`{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"no","data":${NUMBERS}}}`)
      }
    })
    const failed = await session.ask(1, 'resources/read', `{"uri":"x","n":${NUMBERS}}`)
    expect(heard[0]).toContain(`"n":${NUMBERS}`)
    expect(failed).toContain(`"data":${NUMBERS}`)
    expect(await session.line('notifications/message')).toContain(`"data":${NUMBERS}`)
    expect(await session.line('sampling/createMessage')).toContain(`"n":${NUMBERS}`)
    session.send(`{"jsonrpc":"2.0","id":7,"result":{"n":${NUMBERS}}}`)
    while (!heard.some(line => line.includes('"result"'))) await new Promise(setImmediate)
    expect(heard.at(-1)).toContain(`"n":${NUMBERS}`)
  })

  it('are two ids of requests where they are one double, and an id that the server writes otherwise is understood', async () => {
    const session = await wired((line, say) => {
      const id = /"id":([^,]+)/.exec(line)?.[1]
      const written = id === '7.0' ? '7' : id
      if (line.includes('"ping"')) say(`{"jsonrpc":"2.0","id":${written},"result":{"for":"${id}"}}`)
    })
    for (const id of ['9007199254740993', '9007199254740992', '7.0']) {
      session.send(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`)
      expect(await session.line(`"for":"${id}"`)).toContain(`"id":${id},`)
    }
  })

  it('pass as the error of a tool call, with its data', async () => {
    const session = await wired((line, say) => {
      const id = /"id":([^,]+)/.exec(line)?.[1]
      if (line.includes('tools/call'))
        say(`{"jsonrpc":"2.0","id":${id},"error":{"code":-32000.0,"message":"no","data":{"n":${NUMBERS}}}}`)
      else if (line.includes('"id"')) say(`{"jsonrpc":"2.0","id":${id},"result":{"tools":[]}}`)
    })
    expect(await session.ask(1, 'tools/call', call('{}'))).toContain(`"data":{"n":${NUMBERS}}`)
  })
})

describe('a stored result with such numbers', () => {
  const rows = Array.from({ length: 400 }, (_, at) => `{"id":72565356393345${8000 + at},"price":${at}.50}`)
  const json = `{"rows":[${rows.join(',')}]}`
  const serve = serverOf(line =>
    line.includes('"name":"use"')
      ? `{"content":[],"structuredContent":{"got":${/"arguments":(.*?),"_meta"/.exec(line)?.[1]}}}`
      : `{"content":[],"structuredContent":${json}}`,
  )

  it.each(['memory', 'sqlite'])('keeps them in %s: preview, page, full, and as an argument', async kind => {
    const store = () => (kind === 'sqlite' ? { store: sqliteStore(join(folder, 'cache.db')) } : {})
    let session = await wired(serve, store())
    const first = JSON.parse(await session.ask(1, 'tools/call', call('{}')))
    const refId = first.result.structuredContent.ref_id
    if (kind === 'sqlite') {
      // As another process would find it.
      session = await wired(serve, store())
    }
    const preview = stringifyJson(await session.poll(2, 'get_cached_result', { ref_id: refId }))
    expect(preview).toContain('"price":0.50')
    expect(preview).toContain('"id":725653563933458000')
    expect(preview).toContain('"id":725653563933458399')
    const page = stringifyJson(
      await session.poll(3, 'get_cached_result', { ref_id: refId, page: 1, page_size: 3 }),
    )
    expect(page).toContain('{"id":725653563933458001,"price":1.50}')
    const full = stringifyJson(await session.poll(4, 'get_cached_result', { ref_id: refId, full: true }))
    expect(full).toContain(json)
    const used = await session.ask(5, 'tools/call', call(`{"data":"${refId}"}`, 'use'))
    const { result } = JSON.parse(used)
    const usedRef = result.structuredContent.ref_id
    const passed = stringifyJson(await session.poll(6, 'get_cached_result', { ref_id: usedRef, full: true }))
    expect(passed).toContain(rows.join(','))
  })
})

describe('results nested deep', () => {
  it.each([600, 3_000, 20_000])('%d levels pass, also through the store, previews and pages', async depth => {
    const deep = `${'{"a":['.repeat(depth / 2)}1.0${']}'.repeat(depth / 2)}`
    const small = `{"content":[],"structuredContent":${deep}`
    const filler = 'x'.repeat(9_000)
    const serve = serverOf(line =>
      line.includes('"name":"large"')
        ? `{"content":[],"structuredContent":{"deep":${deep},"text":"${filler} ${'word '.repeat(2_000)}"}}`
        : `${small}}`,
    )
    const session = await wired(serve, { store: sqliteStore(join(folder, 'cache.db')) })
    const alone = JSON.parse(await session.ask(1, 'tools/call', call('{}')))
    const whole = await session.poll(9, 'get_cached_result', {
      ref_id: alone.result.structuredContent.ref_id,
      full: true,
    })
    expect(stringifyJson(whole).includes(deep)).toBe(true)
    const large = JSON.parse(await session.ask(2, 'tools/call', call('{}', 'large')))
    const refId = large.result.structuredContent.ref_id
    expect(large.result.isError).toBeUndefined()
    for (const [at, args] of [
      {},
      { page: 1 },
      { page: 2 },
      { max_size: 100_000 },
      { full: true },
    ].entries()) {
      const shown = await session.poll(10 + at, 'get_cached_result', { ref_id: refId, ...args })
      expect(shown.isError, JSON.stringify(args)).toBeUndefined()
      if ('full' in args) expect(stringifyJson(shown).includes(deep)).toBe(true)
    }
    const passed = await session.ask(20, 'tools/call', call(`{"data":"${refId}"}`, 'echo'))
    expect(passed).not.toContain('"isError":true')
  })

  it('and so do arguments', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
    let heard = ''
    const session = await wired(
      serverOf(line => {
        heard = line
        return '{"content":[]}'
      }),
    )
    expect(await session.ask(1, 'tools/call', call(`{"deep":${deep}}`))).not.toContain('isError')
    expect(heard.includes(deep)).toBe(true)
  })
})
