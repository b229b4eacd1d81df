import { afterEach, describe, expect, it } from 'vitest'
import { JsonLines } from '../../../src/wrap/channels/json-lines.ts'
import { readMessages, type Unreadable } from '../../../src/wrap/channels/read-message.ts'
import { idIn, serverOf, Wired } from './wired.ts'

const opened: Wired[] = []
afterEach(async () => {
  for (const wired of opened.splice(0)) await wired.close()
})

function unreadable(line: string): Unreadable | undefined {
  const [received] = readMessages(line)
  return received && 'unreadable' in received ? received.unreadable : undefined
}

describe('a call is answered at once where its answer cannot be read', () => {
  const LONG = JSON.stringify('a line\n'.repeat(100_000))
  it.each([
    ['NaN', `{"jsonrpc":"2.0","id":ID,"result":{"content":[${LONG},NaN]}}`, 'it holds NaN'],
    ['the id at the end', `{"result":{"content":[NaN,${LONG}],"id":77},"jsonrpc":"2.0","id":ID}`, 'NaN'],
    ['the version at the end', `{"result":[${LONG},],"id":ID,"jsonrpc":"2.0"}`, 'malformed'],
    ['a line that ends too soon', `{"jsonrpc":"2.0","id":ID,"result":{"content":[${LONG}`, 'before its end'],
    ['something behind it', `{"jsonrpc":"2.0","id":ID,"result":{"content":[${LONG}]}} done`, 'no JSON'],
    ['a result that is a list', `{"jsonrpc":"2.0","id":ID,"result":[${LONG}]}`, 'no JSON-RPC'],
  ])('in a long line: %s', async (_, line, why) => {
    const session = await Wired.open(
      serverOf((call, say) => {
        say(line.replace('ID', idIn(call)))
        return undefined
      }),
    )
    opened.push(session)
    const answer = await session.ask(1, 'tools/call', '{"name":"t"}')
    expect(answer).toContain('"error":{')
    expect(answer).toContain(why)
  })

  it.each([
    ['NaN', '{"jsonrpc":"2.0","id":ID,"result":{"content":[],"structuredContent":{"x":NaN}}}', 'NaN'],
    ['Infinity', '{"jsonrpc":"2.0","id":ID,"result":{"content":[{"x":-Infinity}]}}', '-Infinity'],
    ['the id at the end', '{"result":{"content":[NaN],"id":77},"jsonrpc":"2.0","id":ID}', 'NaN'],
    ['a line that ends too soon', '{"jsonrpc":"2.0","id":ID,"result":{"content":[', 'ends before its end'],
    ['a string that never ends', '{"jsonrpc":"2.0","id":ID,"result":{"content":"abc', 'no JSON'],
    ['something behind it', '{"jsonrpc":"2.0","id":ID,"result":{"content":[]}} done', 'no JSON'],
    ['a comma too many', '{"jsonrpc":"2.0","id":ID,"result":{"content":[],}}', 'no JSON'],
    [
      'quotes of Python',
      `{'jsonrpc':'2.0'} {"jsonrpc":"2.0","id":ID,"result":{'content':[]}}`.slice(18),
      'no JSON',
    ],
    ['a result that is a text', '{"jsonrpc":"2.0","id":ID,"result":"done"}', 'no JSON-RPC'],
    ['a result that is null', '{"jsonrpc":"2.0","id":ID,"result":null}', 'no JSON-RPC'],
    ['neither result nor error', '{"jsonrpc":"2.0","id":ID}', 'no JSON-RPC'],
    ['no version', '{"id":ID,"result":{"content":[]}}', 'no JSON-RPC'],
    ['an error that is a text', '{"jsonrpc":"2.0","id":ID,"error":"out of tea"}', 'out of tea'],
    ['an error that is null', '{"jsonrpc":"2.0","id":ID,"error":null}', 'without a message'],
    ['an error without a code', '{"jsonrpc":"2.0","id":ID,"error":{"message":"out of tea"}}', 'out of tea'],
    [
      'a code that is a text',
      '{"jsonrpc":"2.0","id":ID,"error":{"code":"E1","message":"out of tea"}}',
      'out of tea',
    ],
    ['an error without a message', '{"jsonrpc":"2.0","id":ID,"error":{"code":-32000}}', 'without a message'],
    [
      'a result beside its error',
      '{"jsonrpc":"2.0","id":ID,"result":{},"error":{"code":1,"message":"out of tea"}}',
      'out of tea',
    ],
  ])('%s', async (_, line, why) => {
    const serve = serverOf((call, say) => {
      say(line.replace('ID', idIn(call)))
      return undefined
    })
    const session = await Wired.open(serve)
    opened.push(session)
    for (const method of ['tools/call', 'prompts/get']) {
      const answer = await session.ask(method, method, '{"name":"t"}')
      expect(answer).toContain('"error":{')
      expect(answer).toContain(why)
      expect(JSON.parse(answer).error.code).toEqual(expect.any(Number))
    }
  })

  it('a result beside an error that is null is a result', async () => {
    const session = await Wired.open(
      serverOf((call, say) => {
        say(`{"jsonrpc":"2.0","id":${idIn(call)},"result":{"content":[]},"error":null}`)
        return undefined
      }),
    )
    opened.push(session)
    expect(await session.ask(1, 'tools/call', '{"name":"t"}')).toContain('"result":{"content":[]')
  })

  it('an error with data of any depth reaches the client as that error', async () => {
    for (const levels of [200, 1_000, 3_000, 3_900]) {
      const data = `${'['.repeat(levels)}${']'.repeat(levels)}`
      const session = await Wired.open(
        serverOf((call, say) => {
          say(
            `{"jsonrpc":"2.0","id":${idIn(call)},"error":{"code":-32042,"message":"sign in","data":${data}}}`,
          )
          return undefined
        }),
      )
      opened.push(session)
      const { error } = JSON.parse(await session.ask(1, 'tools/call', '{"name":"t"}'))
      expect(error, `${levels} levels`).toMatchObject({ code: -32042, message: 'sign in' })
      expect(session.logged.join()).not.toContain('call_failed')
    }
  })

  it('a client that sends what cannot be read is told so, and its own broken answer reaches the server as an error', async () => {
    const heard: string[] = []
    const session = await Wired.open(line => void heard.push(line))
    opened.push(session)
    session.send(
      '{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"t","arguments":{"x":NaN}}}',
    )
    expect(await session.line('"id":"a"')).toContain('NaN')
    session.send('{"jsonrpc":"2.0","id":"b","method":"ping","params":[]}')
    expect(await session.line('"id":"b"')).toContain('-32600')
    expect(heard).toEqual([])
  })
})

describe('lines that answer nothing are only logged', () => {
  it.each([
    'starting up, id: 5',
    '{"level":"info","id":5,"value":NaN}',
    '{"level":"info","id":5}',
    '  "id": 5,',
    '{',
    '[1,2',
    '"id":5,"result":{}',
    '{"note":"\\"id\\":5,\\"result\\"',
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}',
  ])('%s', line => {
    expect(unreadable(line)).toBeDefined()
    expect(unreadable(line)?.id).toBeUndefined()
  })

  it('says nothing of their content', () => {
    expect(unreadable('{"jsonrpc":"2.0","id":1,"result":{"password":"hunter2","x":nan}}')).toEqual({
      problem: 'a line that is no JSON (64 characters): it holds nan, which JSON does not have',
      id: 1,
      kind: 'response',
    })
  })
})

it('a line that is too long ends its call, too', () => {
  const seen: Unreadable[] = []
  const lines = new JsonLines(
    () => {},
    what => seen.push(what),
    2_000,
  )
  for (const part of [
    '{"jsonrpc":"2.0","id":',
    '7,"result":{"text":"',
    'x'.repeat(3_000),
    'x'.repeat(3_000),
    '"}}\n',
  ])
    lines.push(Buffer.from(part))
  expect(seen).toEqual([{ problem: 'a line of 6045 bytes, which is too long', id: 7, kind: 'response' }])
})
