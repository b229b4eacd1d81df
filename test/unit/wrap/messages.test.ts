import { describe, expect, it } from 'vitest'
import { JsonLines } from '../../../src/wrap/channels/json-lines.ts'
import { ServerRequests } from '../../../src/wrap/client/server-requests.ts'
import { createLog } from '../../../src/wrap/log.ts'
import type { RpcMessage } from '../../../src/wrap/rpc.ts'
import { ToolCatalog } from '../../../src/wrap/tools/catalog.ts'

describe('JSON lines', () => {
  function read(...chunks: Array<string | Buffer>) {
    const messages: RpcMessage[] = []
    const garbage: string[] = []
    const lines = new JsonLines(
      message => messages.push(message),
      ({ problem }) => garbage.push(problem),
    )
    for (const chunk of chunks) lines.push(Buffer.from(chunk))
    return { messages, garbage }
  }
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }

  it('come together from chunks that end anywhere, within a character too', () => {
    const bytes = Buffer.from(`${JSON.stringify({ ...ping, method: 'grüße🎈' })}\n`)
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(read(bytes.subarray(0, cut), bytes.subarray(cut)).messages).toEqual([
        { ...ping, method: 'grüße🎈' },
      ])
    }
  })

  it('may be several in one chunk, end with CRLF, be empty, or be a batch', () => {
    const line = JSON.stringify(ping)
    expect(read(`${line}\r\n\n  \n${line}\n[${line},${line}]\n`).messages).toEqual([ping, ping, ping, ping])
  })

  it('that are long are messages like others, a batch too', () => {
    const long = { ...ping, params: { text: 'grüße 🎈 \n'.repeat(50_000), n: 12 } }
    const line = JSON.stringify(long)
    const bytes = Buffer.from(`${line}\n[${line},${line}]\n${JSON.stringify(ping)}\n`)
    const chunks = Array.from({ length: Math.ceil(bytes.length / 65_521) }, (_, at) =>
      bytes.subarray(at * 65_521, (at + 1) * 65_521),
    )
    expect(read(...chunks).messages).toEqual([long, long, long, ping])
  })

  it('that are garbage are told of without their content', () => {
    const { messages, garbage } = read('password=hunter2\n{"a":1}\n42\n', `${JSON.stringify(ping)}\n`)
    expect(messages).toEqual([ping])
    expect(garbage).toHaveLength(3)
    expect(garbage.join()).not.toContain('hunter2')
  })
})

describe('requests of the server', () => {
  const question = { jsonrpc: '2.0', id: 0, method: 'roots/list' } as const

  it('keep their ids, and are answered once', () => {
    const requests = new ServerRequests()
    expect(requests.opened(question)).toEqual(question)
    const answer = { jsonrpc: '2.0', id: 0, result: {} } as const
    expect(requests.answered(answer)).toEqual(answer)
    expect(requests.answered(answer)).toBeUndefined()
  })

  it('get other ids once the server was started again', () => {
    const requests = new ServerRequests()
    requests.opened(question)
    expect(requests.lost()).toEqual([0])
    const again = requests.opened(question)
    expect(again.id).not.toBe(0)
    expect(requests.answered({ jsonrpc: '2.0', id: 0, result: {} })).toBeUndefined()
    expect(requests.answered({ jsonrpc: '2.0', id: again.id, result: {} })?.id).toBe(0)
    const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 0 } } as const
    expect(requests.translated(cancelled).params?.requestId).toBe(again.id)
  })
})

describe('the tool catalog', () => {
  it('widens output schemas, keeps their references whole, and demands an object only where the server did', () => {
    const catalog = new ToolCatalog([], name => name !== 'apart')
    const node = { type: 'object', properties: { next: { $ref: '#' } } }
    const { tools } = catalog.present({
      tools: [
        { name: 'a', outputSchema: node },
        { name: 'b', outputSchema: { type: 'array' } },
        { name: 'apart', outputSchema: node },
      ],
    }) as { tools: Array<{ outputSchema: { type?: string } }> }
    expect(tools[0]?.outputSchema.type).toBe('object')
    expect(JSON.stringify(tools[0])).not.toContain('"$ref":"#"')
    expect(tools[1]?.outputSchema.type).toBeUndefined()
    expect(tools[2]).toEqual({ name: 'apart', outputSchema: node })
  })

  it('takes a tool that it never saw for one that declares nothing', () => {
    const catalog = new ToolCatalog([], () => true)
    catalog.learn({
      tools: [{ name: 'a', annotations: { readOnlyHint: true, idempotentHint: true } }],
      nextCursor: 'x',
    })
    expect(catalog.complete).toBe(false)
    expect(catalog.known('a')).toMatchObject({ readOnly: true, idempotent: true })
    expect(catalog.known('toString')).toMatchObject({ readOnly: false, idempotent: false })
    catalog.learn({ tools: [null, 'odd', { name: 'b' }] })
    expect(catalog.complete).toBe(true)
    catalog.forget()
    expect(catalog.known('a').readOnly).toBe(false)
  })
})

it('the log leaves out what is below its level, and writes one JSON object a line', () => {
  const lines: string[] = []
  const log = createLog({ level: 'warn', json: true, write: line => lines.push(line) })
  log.info('a', 'not this')
  log.warn('b', 'this "one"\nin one line')
  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn',
    code: 'b',
    message: 'this "one"\nin one line',
  })
})
