import { EventEmitter } from 'node:events'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import type { Channel } from '../../../src/wrap/channels/channel.ts'
import { AuthorizedResponses } from '../../../src/wrap/http/authorized-responses.ts'
import { BodyReader, TooManyBytes, UploadAborted } from '../../../src/wrap/http/body.ts'
import { notification, type RpcMessage } from '../../../src/wrap/rpc.ts'
import { Exchange } from '../../../src/wrap/stateless/exchange.ts'
import { RequestChannel } from '../../../src/wrap/stateless/request-channel.ts'
import { SharedServer } from '../../../src/wrap/stateless/shared-server.ts'
import { Upstream } from '../../../src/wrap/upstream/upstream.ts'
import { openHttp, silent } from './http-scene.ts'

const upload = (...chunks: string[]) => Readable.from(chunks.map(Buffer.from)) as unknown as IncomingMessage

describe('bodies that are being read', () => {
  const reader = () => new BodyReader({ all: 100, one: 60 })

  it('are bounded for all callers together, and for one alone', async () => {
    const bodies = reader()
    const [first, second, third] = [upload('x'.repeat(50)), upload('x'.repeat(50)), upload('x')]
    expect(await bodies.read(first, 60, 'alice')).toHaveLength(50)
    await expect(bodies.read(upload('x'.repeat(11)), 60, 'alice')).rejects.toBeInstanceOf(TooManyBytes)
    expect(await bodies.read(second, 60, 'bob')).toHaveLength(50)
    await expect(bodies.read(third, 60, 'carol')).rejects.toBeInstanceOf(TooManyBytes)
    for (const request of [first, second, third]) bodies.release(request)
    for (const request of [first, second, third]) bodies.release(request)
    expect(await bodies.read(upload('x'.repeat(60)), 60, 'alice')).toHaveLength(60)
  })

  it('count no more when their request is over, however it ended', async () => {
    const bodies = reader()
    for (let round = 0; round < 5; round++) {
      const tooLarge = upload('x'.repeat(30), 'x'.repeat(20))
      expect(await bodies.read(tooLarge, 40)).toBeUndefined()
      bodies.release(tooLarge)
      const left = Readable.from(
        (async function* () {
          yield Buffer.from('x'.repeat(40))
          throw new Error('aborted')
        })(),
      ) as unknown as IncomingMessage
      await expect(bodies.read(left, 60)).rejects.toBeInstanceOf(UploadAborted)
      bodies.release(left)
    }
  })

  it('are mentioned once where clients go away in the middle of them', async () => {
    const info = vi.fn()
    const error = vi.fn()
    const { url } = await openHttp(() => {}, { listen: { log: { ...silent, info, error } } })
    for (let round = 0; round < 3; round++) {
      const sent = request(url, { method: 'POST', headers: { 'content-length': '1000' } })
      sent.on('error', () => {})
      await new Promise(resolve => sent.write('{', resolve))
      sent.destroy()
    }
    await expect.poll(() => info.mock.calls.map(([code]) => code)).toEqual(['upload_aborted'])
    expect(error).not.toHaveBeenCalled()
  })
})

it('what is open by a token ends soon after the token was taken back, and nothing else', async () => {
  const clock = new FakeClock()
  const subjects: Record<string, string> = { a: 'alice', b: 'bob', c: 'carol' }
  const responses = new AuthorizedResponses({ subjectOf: token => subjects[token] }, clock)
  const opened = Object.keys(subjects).map(token => {
    const response = Object.assign(new EventEmitter(), { destroy: vi.fn() })
    responses.add(response as unknown as ServerResponse, token, subjects[token] ?? '')
    return response
  })
  await clock.advance(5_000)
  for (const { destroy } of opened) expect(destroy).not.toHaveBeenCalled()
  delete subjects.a
  subjects.b = 'mallory'
  opened[2]?.emit('close')
  await clock.advance(5_000)
  expect(opened.map(({ destroy }) => destroy.mock.calls.length)).toEqual([1, 1, 0])
})

function quietChannel(sent: RpcMessage[] = []): Channel {
  return {
    onmessage: undefined,
    onclose: undefined,
    onerror: undefined,
    start: async () => {},
    send: async message => void sent.push(message),
    pause: () => {},
    resume: () => {},
    close: async () => {},
  }
}

it('a caller that comes while the last one leaves a shared server has a server', async () => {
  const sent: RpcMessage[] = []
  const server = new SharedServer(async () => quietChannel(sent))
  const [alice, bob] = [server.channel(), server.channel()]
  await alice.start()
  const coming = bob.start()
  await alice.close()
  await coming
  await bob.send({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
  expect(sent).toHaveLength(1)
})

it('a request that is cancelled while the server is started again is not sent', async () => {
  const channels: Array<{ channel: Channel; sent: RpcMessage[] }> = []
  const upstream = new Upstream(async () => {
    const sent: RpcMessage[] = []
    const channel = quietChannel(sent)
    channels.push({ channel, sent })
    return channel
  }, silent)
  await upstream.start()
  const answer = upstream.request('tools/list', {})
  await expect.poll(() => channels[0]?.sent.length).toBe(1)
  const [{ id } = { id: '' }] = (channels[0]?.sent ?? []) as Array<{ id: string }>
  channels[0]?.channel.onmessage?.({ jsonrpc: '2.0', id, result: {} })
  await answer
  channels[0]?.channel.onclose?.('It crashed.')
  const requests = [false, true].map(isWanted =>
    upstream.forward({ jsonrpc: '2.0', id: `${isWanted}`, method: 'tools/call' }, () => isWanted),
  )
  await Promise.all(requests)
  expect(channels[1]?.sent.map(message => 'id' in message && message.id)).toEqual(['true'])
  await upstream.close()
})

describe('what a server logs', () => {
  const log = notification('notifications/message', { level: 'error', data: 'secret' })
  const META = { 'io.modelcontextprotocol/logLevel': 'info' }

  function open(strangers: boolean) {
    const clock = new FakeClock()
    const channel = new RequestChannel(strangers, clock)
    const begin = (id: string) => {
      const written: string[] = []
      const response = Object.assign(new EventEmitter(), {
        destroyed: false,
        writableLength: 0,
        writableHighWaterMark: 1,
        writeHead: () => response,
        write: (chunk: string) => written.push(chunk) > 0,
        end: () => {},
        destroy: () => {},
      }) as unknown as ServerResponse
      const request = { jsonrpc: '2.0', id, method: 'resources/read', params: { _meta: META } } as const
      channel.receive(new Exchange(request, response, clock))
      return { written, leave: () => response.emit('close') }
    }
    return { channel, clock, begin }
  }

  it('for somebody who has left reaches no stranger that comes after', async () => {
    const { channel, clock, begin } = open(true)
    begin('one').leave()
    const { written } = begin('other')
    await channel.send(log)
    expect(written).toEqual([])
    await clock.advance(60_000)
    await channel.send(log)
    expect(written.join()).toContain('secret')
  })

  it('reaches the same caller’s next request', async () => {
    const { channel, begin } = open(false)
    begin('one').leave()
    const { written } = begin('other')
    await channel.send(log)
    expect(written.join()).toContain('secret')
  })
})
