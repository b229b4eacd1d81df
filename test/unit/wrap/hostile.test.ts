import { describe, expect, it } from 'vitest'
import { printable } from '../../../src/core/printable.ts'
import { JsonLines } from '../../../src/wrap/channels/json-lines.ts'
import { isRpcMessage } from '../../../src/wrap/rpc.ts'
import { parseWrapLine } from '../../e2e/fixtures/wrap-line.ts'

describe('what a hostile server or client sends', () => {
  it.each([
    ['a null result', { id: 1, result: null }],
    ['a result that is a list', { id: 1, result: [] }],
    ['an id that is an object', { id: { toString: 1 }, result: {} }],
    ['an error without a code', { id: 1, error: { message: 'x' } }],
    ['params that are a list', { method: 'x', params: [] }],
    ['params that are null', { method: 'x', params: null }],
    ['a method that is no text', { method: {}, id: 1 }],
    ['nothing to go by', { id: 1 }],
  ])('is no message: %s', (_, message) => {
    expect(isRpcMessage({ jsonrpc: '2.0', ...message })).toBe(false)
  })

  it('a line that is too long is dropped, and the next one read', () => {
    const messages: unknown[] = []
    const garbage: string[] = []
    const lines = new JsonLines(
      message => messages.push(message),
      ({ problem }) => garbage.push(problem),
      100,
    )
    lines.push(Buffer.from('x'.repeat(80)))
    lines.push(Buffer.from('x'.repeat(80)))
    lines.push(Buffer.from(`${'x'.repeat(80)}\n{"jsonrpc":"2.0","method":"ping"}\n`))
    expect(messages).toEqual([{ jsonrpc: '2.0', method: 'ping' }])
    expect(garbage).toEqual(['a line of 240 bytes, which is too long'])
  })

  it('a line that is too long is known by the id at its end, and answers its call', () => {
    const unreadable: unknown[] = []
    const lines = new JsonLines(
      () => {},
      one => unreadable.push(one),
      100,
    )
    lines.push(Buffer.from(`{"result":{"content":["${'x'.repeat(200)}"]},"jsonrpc":"2.0","id":"a"}\n`))
    expect(unreadable).toEqual([{ problem: expect.stringContaining('too long'), id: 'a', kind: 'response' }])
  })

  it('moves no cursor and forges no line of the log', () => {
    const escaped = printable('a\x1b[31mb\nmcp-refcache info: fine\u2028\x9b\u202e')
    expect(escaped).toBe('a\\u001b[31mb\\u000amcp-refcache info: fine\\u2028\\u009b\\u202e')
  })
})

describe('credentials in --url', () => {
  it('are refused without being repeated', async () => {
    const parse = () => parseWrapLine(['--url', 'http://bob:s3cr3t@host/mcp'], {})
    await expect(parse()).rejects.toThrow(/--header/)
    await expect(parse()).rejects.not.toThrow(/s3cr3t/)
  })
})
