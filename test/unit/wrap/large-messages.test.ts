import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../../src/core/json.ts'
import { parseJson } from '../../../src/core/json-text.ts'
import { turn } from './chatty.ts'
import { idIn, serverOf, Wired } from './wired.ts'

const LIMIT = 10 * 1024 * 1024
const BIG = 'x'.repeat(11 * 1024 * 1024)

let wired: Wired
afterEach(() => wired.close())

function resultOf(answer: string) {
  return (parseJson(answer) as { result: JsonObject & { content: JsonObject[] } }).result
}

/** A session, in front of a server that answers every request but the usual ones with the result. */
async function withResult(result: JsonObject) {
  wired = await Wired.open(serverOf(() => JSON.stringify(result)))
  return wired
}

describe('no client on stdio gets a message of more than 10 MiB', () => {
  afterEach(() => {
    for (const line of wired.lines) expect(line.length).toBeLessThan(LIMIT)
  })

  it.each([
    ['resources/read', { contents: [{ uri: 'a:b', text: BIG }] }],
    [
      'resources/read',
      { contents: Array.from({ length: 200_000 }, (_, i) => ({ uri: `a:${i}`, blob: 'x'.repeat(40) })) },
    ],
    ['prompts/get', { messages: [{ role: 'user', content: { type: 'text', text: BIG } }] }],
    ['some/method', { [BIG]: 1 }],
  ])('%s has an error instead, that says what to do', async (method, result) => {
    const session = await withResult(result)
    const { error } = parseJson(await session.ask(1, method)) as unknown as {
      error: { code: number; message: string }
    }
    expect(error.code).toBe(-32603)
    expect(error.message).toMatch(/10 MB.*Ask for less at once/)
    expect(wired.logged.some(line => line.startsWith('warn message_too_large'))).toBe(true)
  })

  it('media of that size are noted in a reference, and `full` says that they are too large', async () => {
    const image = { type: 'image', data: BIG, mimeType: 'image/png' }
    const session = await withResult({ content: [{ type: 'text', text: 'a picture' }, image] })
    const { content } = resultOf(await session.ask(1, 'tools/call', '{"name":"t"}'))
    const answer = parseJson(String(content[0]?.text)) as JsonObject
    expect(answer.media).toEqual([{ type: 'image', mime_type: 'image/png', bytes: expect.any(Number) }])
    for (const args of [{ ref_id: answer.ref_id, full: true }, { ref_id: `${answer.ref_id}#/content/1` }]) {
      expect(await wired.poll(`full${JSON.stringify(args).length}`, 'get_cached_result', args)).toMatchObject(
        {
          isError: true,
        },
      )
    }
  })

  it('a tool that fails with so much says so in a preview', async () => {
    const session = await withResult({ isError: true, content: [{ type: 'text', text: BIG }] })
    expect(resultOf(await session.ask(1, 'tools/call', '{"name":"t"}'))).toMatchObject({ isError: true })
  })

  it('notifications are dropped, and requests refused, with a line in the log', async () => {
    const heard: string[] = []
    let say: (line: string) => void = () => {}
    const serve = serverOf(() => '{}')
    wired = await Wired.open((line, answer) => {
      say = answer
      heard.push(line)
      serve(line, answer)
    })
    await wired.ask('i', 'initialize', '{"protocolVersion":"2025-06-18","capabilities":{"sampling":{}}}')
    say(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"${BIG}"}}`)
    say(`{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{"messages":["${BIG}"]}}`)
    while (!heard.some(line => line.includes('"error"'))) await turn()
    const refusal = heard.find(line => line.includes('"error"')) ?? ''
    expect([idIn(refusal), refusal]).toEqual(['7', expect.stringContaining('10 MB')])
    expect(wired.logged.filter(line => line.includes('message_too_large'))).toHaveLength(2)
    expect(await wired.ask(1, 'ping')).toContain('"id":1')
  })
})
