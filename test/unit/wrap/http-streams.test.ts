import { describe, expect, it } from 'vitest'
import { EventLog } from '../../../src/wrap/channels/event-log.ts'
import { toEnvelope } from '../../../src/wrap/channels/exact-http.ts'
import { type EventReader, openHttp, StreamClient } from './http-scene.ts'
import { idIn, serverOf } from './wired.ts'

const log = (data: string) =>
  `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"${data}"}}`
const question = (id: string) =>
  `{"jsonrpc":"2.0","id":"${id}","method":"elicitation/create","params":{"message":"${id}?","requestedSchema":{"type":"object","properties":{}}}}`
const changed = '{"jsonrpc":"2.0","method":"notifications/resources/list_changed"}'

/** A server that the test speaks for, with calls that are open until the test answers them. */
async function scene({ protocolVersion = '2025-11-25', asyncTimeout = 60_000 } = {}) {
  const open = new Map<string, string>()
  const waiting: Array<{ name: string; opened(): void }> = []
  const heard: string[] = []
  let say = (_: string) => {}
  const serve = serverOf(
    (line, speak) => {
      say = speak
      if (!line.includes('"tools/call"')) return '{}'
      const name = /"name":"([^"]*)"/.exec(line)?.[1] ?? ''
      open.set(name, line)
      for (const one of waiting) if (one.name === name) one.opened()
      return undefined
    },
    '[]',
    '{"tools":{},"logging":{}}',
  )
  const settings = { defaults: { asyncTimeout }, tools: {} }
  const { url, sessions } = await openHttp(
    (line, speak) => {
      say = speak
      heard.push(line)
      serve(line, speak)
    },
    { settings },
  )
  const client = await StreamClient.open(url, protocolVersion)
  const reached = (name: string) =>
    new Promise<void>(resolve => {
      if (open.has(name)) resolve()
      else waiting.push({ name, opened: resolve })
    })
  /** A call that the server works on. */
  const begin = async (name: string, params: object = {}): Promise<EventReader> => {
    const answer = await client.call(`call-${name}`, name, params)
    await reached(name)
    return answer
  }
  const end = (name: string, text = name) =>
    say(
      `{"jsonrpc":"2.0","id":${idIn(open.get(name) ?? '')},"result":{"content":[{"type":"text","text":"${text}"}]}}`,
    )
  return { url, client, sessions, begin, end, heard, say: (line: string) => say(line) }
}

describe('what the server says while it works on a call', () => {
  it('goes on the stream of the one call: a client without another stream is asked, and hears logs', async () => {
    const { client, begin, end, say, heard } = await scene()
    const answer = await begin('one')
    say(log('working'))
    say(question('who'))
    await answer.until('working')
    const asked = await answer.until('elicitation/create')
    await client.answer(asked.id, { action: 'accept', content: {} })
    await expect.poll(() => heard.some(line => line.includes('"accept"'))).toBe(true)
    say(log('nearly'))
    end('one', 'done')
    const rest = await answer.rest()
    expect(rest.map(({ method, id }) => method ?? id)).toEqual(['notifications/message', 'call-one'])
  })

  it('a Last-Event-ID that is none is refused, and ends no stream', async () => {
    const { client, ...server } = await scene()
    const own = await client.listen()
    for (const id of ['garbage', 'garbage~1', '~1', "a'; --"]) {
      expect((await client.listen(id)).status).toBe(400)
    }
    server.say(changed)
    expect((await own.next())?.message?.method).toBe('notifications/resources/list_changed')
  })

  it('goes on that stream also where the client has another; what belongs to no call does not', async () => {
    const { client, begin, end, say } = await scene()
    const own = await client.listen()
    const answer = await begin('one')
    say(changed)
    say(log('of the call'))
    say(question('who'))
    end('one')
    const methods = (await answer.rest()).map(({ method, id }) => method ?? id)
    expect(methods).toEqual(['notifications/message', 'elicitation/create', 'call-one'])
    expect((await own.until('list_changed')).method).toBe('notifications/resources/list_changed')
    say(log('of nobody'))
    await own.until('of nobody')
    expect(own.seen.filter(({ message }) => message)).toHaveLength(2)
    await own.leave()
  })

  it('of one of two calls goes on the client’s own stream, and without one on that of the later call', async () => {
    const { client, begin, end, say } = await scene()
    const one = await begin('one')
    const two = await begin('two')
    say(question('first'))
    await two.until('first?')
    const own = await client.listen()
    say(question('second'))
    say(log('of some call'))
    const seen = () => JSON.stringify(own.seen)
    while (!seen().includes('second?') || !seen().includes('of some call')) await own.next()
    // Others are no calls.
    await (await client.ask('ping', 'ping')).rest()
    end('two')
    await two.until('call-two')
    say(question('third'))
    await one.until('third?')
    end('one')
    expect((await one.rest()).map(({ id }) => id)).toEqual(['call-one'])
    await own.leave()
  })

  it('reaches whoever listens where the client has left the stream of its call', async () => {
    const { client, begin, end, say } = await scene()
    const one = await begin('one')
    const two = await begin('two')
    await two.leave()
    let isAsked = false
    void one.until('elicitation').then(() => {
      isAsked = true
    })
    // The end of a connection takes a moment to be seen.
    await expect
      .poll(() => {
        say(question('still'))
        return isAsked
      })
      .toBe(true)
    const own = await client.listen()
    end('one')
    await one.rest()
    say(question('alone'))
    await own.until('alone?')
    await own.leave()
  })

  it('waits for a client that has nothing open: the next request, or its stream, brings it', async () => {
    const { client, begin, say } = await scene({ asyncTimeout: 0 })
    await (await begin('long')).rest()
    say(log('in the background'))
    say(question('who'))
    const poll = await client.call('poll', 'get_cached_result', {
      arguments: { ref_id: 'unknown:0' },
    })
    const messages = await poll.rest()
    expect(messages.map(({ method, id }) => method ?? id)).toEqual([
      'notifications/message',
      'elicitation/create',
      'poll',
    ])
    say(question('again'))
    const own = await client.listen()
    await own.until('again?')
    await own.leave()
  })
})

describe('a stream that the client lost', () => {
  it('begins with an event that says nothing, to come back with, from 2025-11-25 on', async () => {
    for (const [protocolVersion, first] of [
      ['2025-11-25', undefined],
      ['2025-06-18', 'notifications/message'],
    ] as const) {
      const { begin, end, say } = await scene({ protocolVersion })
      const answer = await begin('one')
      say(log('x'))
      end('one')
      const event = await answer.next()
      expect(event?.id).toBeTruthy()
      expect(event?.message?.method).toBe(first)
      await answer.rest()
    }
  })

  it('goes on from where it was lost: what was said meanwhile, then what is said, then the answer', async () => {
    const { client, begin, end, say, heard } = await scene()
    const lost = await begin('one', { _meta: { progressToken: 'p' } })
    say(log('first'))
    await lost.until('first')
    await lost.leave()
    const token = /"progressToken":("[^"]*")/.exec(heard.find(line => line.includes('"one"')) ?? '')?.[1]
    const progress = (at: number) =>
      `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},"progress":${at}}}`
    say(progress(1))
    const again = await client.listen(lost.lastId)
    expect((await again.until('progress')).params).toEqual({ progressToken: 'p', progress: 1 })
    say(question('still there'))
    await again.until('still there?')
    end('one')
    expect((await again.rest()).map(({ id }) => id)).toEqual(['call-one'])
  })

  it('brings a question that was asked while nobody was there, and the answer goes through', async () => {
    const { client, begin, end, say, heard } = await scene()
    const lost = await begin('one')
    await lost.next()
    await lost.leave()
    say(question('who'))
    const again = await client.listen(lost.lastId)
    const { id } = await again.until('who?')
    await client.answer(id, { action: 'decline' })
    await expect.poll(() => heard.some(line => line.includes('"decline"'))).toBe(true)
    end('one')
    await again.until('call-one')
  })

  it('ends with the answer also where that was given meanwhile, as often as the client comes', async () => {
    const { client, begin, end } = await scene()
    const lost = await begin('one')
    await lost.next()
    await lost.leave()
    end('one', 'kept')
    for (let time = 0; time < 3; time++) {
      const again = await client.listen(lost.lastId)
      await again.until('kept')
      expect(await again.rest()).toEqual([])
    }
    const all = await client.listen(lost.lastId)
    await all.rest()
    expect(await (await client.listen(all.lastId)).rest()).toEqual([])
  })

  it('is one of several: each gets its own', async () => {
    const { client, begin, end } = await scene()
    const one = await begin('one')
    const two = await begin('two')
    for (const stream of [one, two]) await stream.next()
    for (const stream of [one, two]) await stream.leave()
    end('two')
    end('one')
    const again = await client.listen(one.lastId)
    expect((await again.rest()).map(({ id }) => id)).toEqual(['call-one'])
    expect((await (await client.listen(two.lastId)).rest()).map(({ id }) => id)).toEqual(['call-two'])
  })

  it('has one connection: the one that the client came back with, though the old one looks alive', async () => {
    const { client, begin, end, say } = await scene()
    const old = await begin('one')
    await old.next()
    const again = await client.listen(old.lastId)
    say(question('who'))
    await again.until('who?')
    expect(await old.rest()).toEqual([])
    const own = await client.listen()
    say(changed)
    await own.until('list_changed')
    const next = await client.listen(own.lastId)
    say(changed.replace('resources', 'prompts'))
    await next.until('prompts/list_changed')
    expect(await own.rest()).toEqual([])
    end('one')
    await again.until('call-one')
    await next.leave()
  })

  it('is the client’s alone: another session, and an id that was made up, get nothing', async () => {
    const { url, client, begin, end } = await scene()
    const lost = await begin('one')
    await lost.next()
    await lost.leave()
    end('one', 'secret')
    const other = await StreamClient.open(url)
    for (const stranger of [await other.listen(lost.lastId), await client.listen('made-up~1')]) {
      expect(stranger.status).toBe(400)
    }
  })

  it('an answer of which nobody knows that it arrived is given again to the same call', async () => {
    const { client, begin, end, heard } = await scene()
    const lost = await begin('one')
    await lost.next()
    await lost.leave()
    end('one', 'once')
    await (await client.listen(lost.lastId)).until('once')
    expect(heard.filter(line => line.includes('"tools/call"'))).toHaveLength(1)
  })
})

describe('what is kept for clients that come back', () => {
  const answer = (id: number, text: string) => toEnvelope({ jsonrpc: '2.0', id, result: { text } }) as never
  const said = (text: string) =>
    toEnvelope({ jsonrpc: '2.0', method: 'notifications/message', params: { data: text } }) as never
  async function replayed(events: EventLog, from: string): Promise<string[]> {
    const messages: string[] = []
    await events.replayEventsAfter(from, {
      send: async (_, message) => void messages.push(JSON.stringify(message)),
    })
    return messages
  }

  it('is bounded in number: the newest stay, and the stream is still known', async () => {
    const events = new EventLog()
    const first = await events.storeEvent('s', {} as never)
    for (let at = 0; at < 5_000; at++) await events.storeEvent('s', said(`<${at}>`))
    await events.storeEvent('s', answer(1, 'the answer'))
    const kept = await replayed(events, first)
    expect(kept).toHaveLength(1_000)
    expect(kept.at(0)).toContain('<4001>')
    expect(kept.at(-1)).toContain('the answer')
  })

  it('is bounded in bytes', async () => {
    const events = new EventLog()
    const first = await events.storeEvent('s', {} as never)
    for (let at = 0; at < 20; at++) await events.storeEvent('s', said('ü'.repeat(500_000)))
    const kept = await replayed(events, first)
    expect(kept).toHaveLength(4)
    await events.storeEvent('s', said('ü'.repeat(3_000_000)))
    expect(await replayed(events, first)).toHaveLength(4)
  })

  it('says of an answer that is too large that it was not kept', async () => {
    const events = new EventLog()
    const first = await events.storeEvent('s', {} as never)
    await events.storeEvent('s', answer(7, 'x'.repeat(5_000_000)))
    expect(await replayed(events, first)).toEqual([expect.stringMatching(/\\"id\\":7.*is not kept/)])
  })

  it('forgets streams beyond a number', async () => {
    const events = new EventLog()
    const ids = []
    for (let at = 0; at < 1_001; at++) ids.push(await events.storeEvent(`s${at}`, {} as never))
    expect(await events.getStreamIdForEventId(ids[0] ?? '')).toBeUndefined()
    expect(await events.getStreamIdForEventId(ids[1] ?? '')).toBe('s1')
    expect(await events.getStreamIdForEventId('nonsense')).toBeUndefined()
  })
})
