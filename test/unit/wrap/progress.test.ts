import { afterEach, describe, expect, it } from 'vitest'
import { idIn, type Serve, serverOf, Wired, type WiredOptions } from './wired.ts'

const opened: Wired[] = []
afterEach(async () => {
  for (const wired of opened.splice(0)) await wired.close()
})

async function wired(serve: Serve, options?: WiredOptions): Promise<Wired> {
  const one = await Wired.open(serve, options)
  opened.push(one)
  return one
}

/** The token that a request gives, as text. */
function tokenIn(line: string): string {
  return /"progressToken":("[^"]*"|[^,}]+)/.exec(line)?.[1] ?? 'null'
}

const report = (token: string, progress: number) =>
  `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":${progress}}}`

/** What has gone out before an answer that is asked for now. */
async function progressTo(session: Wired): Promise<string[]> {
  await session.ask('fence', 'ping')
  return session.lines.filter(line => line.includes('notifications/progress'))
}

const PASSING = { settings: { defaults: { cache: false }, tools: {} } }

describe('progress reaches the client under its own tokens alone', () => {
  it('none after the answer, and none of a call without a token', async () => {
    const session = await wired(
      serverOf((line, say) => {
        if (line.includes('"ping"')) return '{}'
        const token = tokenIn(line)
        say(report(token, 1))
        say(`{"jsonrpc":"2.0","id":${idIn(line)},"result":{"content":[]}}`)
        say(report(token, 2))
        return undefined
      }),
    )
    await session.ask(1, 'tools/call', '{"name":"t","arguments":{"a":1}}')
    await session.ask(2, 'tools/call', '{"name":"t","arguments":{"a":2},"_meta":{"progressToken":"mine"}}')
    const lines = await progressTo(session)
    expect(lines.filter(line => !line.includes('"mine"'))).toEqual([])
    const answer = session.lines.findIndex(line => line.includes('"id":2,'))
    expect(session.lines.slice(answer).some(line => line.includes('notifications/progress'))).toBe(false)
  })

  it('each report of the server, however close they are, and the poll hears what follows', async () => {
    let say = (_: string) => {}
    let line = ''
    const numbers = (token: string) =>
      session.lines.flatMap(one => {
        const [, found] = new RegExp(`"progressToken":"${token}","progress":(\\d+)`).exec(one) ?? []
        return found === undefined ? [] : [Number(found)]
      })
    const session = await wired(
      serverOf((asked, speak) => {
        if (asked.includes('"ping"')) return '{}'
        say = speak
        line = asked
        for (let at = 1; at <= 20; at++) speak(report(tokenIn(asked), at))
        return undefined
      }),
      { settings: { defaults: { asyncTimeout: 100 }, tools: {} } },
    )
    const handle = await session.ask(
      1,
      'tools/call',
      '{"name":"t","arguments":{},"_meta":{"progressToken":"call"}}',
    )
    expect(numbers('call')).toEqual(Array.from({ length: 20 }, (_, at) => at + 1))
    const refId = /"ref_id":"([^"]+)"/.exec(handle)?.[1]
    const poll = session.ask(
      2,
      'tools/call',
      `{"name":"get_cached_result","arguments":{"ref_id":"${refId}"},"_meta":{"progressToken":"poll"}}`,
    )
    await session.line('"progressToken":"poll","progress":20')
    for (let at = 21; at <= 40; at++) say(report(tokenIn(line), at))
    say(`{"jsonrpc":"2.0","id":${idIn(line)},"result":{"content":[]}}`)
    await poll
    expect(numbers('poll').slice(-20)).toEqual(Array.from({ length: 20 }, (_, at) => at + 21))
  })

  it('none after a cancel, though the server goes on', async () => {
    let token = ''
    let say = (_: string) => {}
    const session = await wired(
      serverOf((line, speak) => {
        say = speak
        if (line.includes('"ping"')) return '{}'
        token = tokenIn(line)
        speak(report(token, 1))
        return undefined
      }),
    )
    session.send(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t","_meta":{"progressToken":7}}}',
    )
    await session.line('notifications/progress')
    session.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}')
    const before = (await progressTo(session)).length
    for (let at = 2; at < 20; at++) say(report(token, at))
    await session.ask('fence2', 'ping')
    expect((await progressTo(session)).length).toBe(before)
    expect(token).toContain('refcache:')
  })

  it.each([
    ['a call that passes by', 'tools/call', '"name":"t"'],
    ['any other request', 'resources/read', '"uri":"x"'],
  ])('%s: as the server reports it, until the answer or the cancel', async (_, method, params) => {
    const waiting: Array<(line: string) => void> = []
    const session = await wired(
      serverOf((line, say) => {
        if (line.includes('"ping"')) return '{}'
        say(report('"not given"', 1))
        say(report(tokenIn(line), 1))
        if (line.includes('"wait"')) waiting.push(say)
        else {
          say(`{"jsonrpc":"2.0","id":${idIn(line)},"result":{"content":[]}}`)
          say(report(tokenIn(line), 2))
        }
        return undefined
      }),
      PASSING,
    )
    await session.ask(1, method, `{${params},"_meta":{"progressToken":12345678901234567890}}`)
    session.send(
      `{"jsonrpc":"2.0","id":2,"method":"${method}","params":{${params},"_meta":{"progressToken":"wait"}}}`,
    )
    await session.line('"progressToken":"wait"')
    session.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}')
    await session.ask('fence0', 'ping')
    for (const say of waiting) say(report('"wait"', 2))
    expect(await progressTo(session)).toEqual([report('12345678901234567890', 1), report('"wait"', 1)])
  })

  it('a call that becomes a task of the server keeps its token', async () => {
    const session = await wired(
      serverOf((line, say) => {
        if (line.includes('"ping"')) return '{}'
        say(`{"jsonrpc":"2.0","id":${idIn(line)},"result":{"task":{"taskId":"x","status":"working"}}}`)
        say(report('"long"', 2))
        return undefined
      }),
      PASSING,
    )
    await session.ask(1, 'tools/call', '{"name":"t","task":{},"_meta":{"progressToken":"long"}}')
    expect(await progressTo(session)).toEqual([report('"long"', 2)])
  })
})
