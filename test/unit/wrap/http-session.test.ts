import { type IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { describe, expect, it, vi } from 'vitest'
import { FakeClock } from '../../../src/testing/fake-clock.ts'
import { BodyReader } from '../../../src/wrap/http/body.ts'
import { type HttpAdapter, HttpSession } from '../../../src/wrap/http/session.ts'
import type { Log } from '../../../src/wrap/log.ts'
import type { Wrapper } from '../../../src/wrap/wrap.ts'
import { deferred } from '../flow/scene.ts'

const silent: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const request = (method: string) => `{"jsonrpc":"2.0","id":1,"method":"${method}"}`

function scene({ place = Promise.resolve() }: { place?: Promise<void> } = {}) {
  const began = vi.fn(() => ({ start: async () => {}, close: async () => {} }))
  const handled = vi.fn()
  let begin: (id: string) => Promise<void> = async () => {}
  class Transport {
    handleRequest = handled
    constructor(options: { onsessioninitialized: typeof begin }) {
      begin = options.onsessioninitialized
    }
    async close() {}
  }
  const gone = vi.fn()
  const takePlace = vi.fn(() => place)
  const session = new HttpSession({
    adapter: { NodeStreamableHTTPServerTransport: Transport } as unknown as HttpAdapter,
    wrapper: { privateSession: began } as unknown as Wrapper,
    log: silent,
    clock: new FakeClock(),
    bodies: new BodyReader(),
    takePlace,
    onBegin: () => {},
    onClosing: () => {},
    onGone: gone,
  })
  /** A request of the client; `leave` is its connection's end. */
  const send = (method: string, body = '') => {
    const asked = Object.assign(Readable.from([Buffer.from(body)]), { method, headers: {} })
    const response = new ServerResponse(asked as unknown as IncomingMessage)
    const leave = () => {
      response.destroyed = true
      response.emit('close')
    }
    return { leave, handle: () => session.handle(asked as unknown as IncomingMessage, response) }
  }
  return { session, send, takePlace, gone, began, handled, begin: (id: string) => begin(id) }
}

describe('a request without a session', () => {
  it('takes a place only where it begins a session: nothing else may end one of somebody else', async () => {
    const { send, takePlace, handled } = scene()
    await send('POST', request('tools/list')).handle()
    await send('GET').handle()
    await send('DELETE').handle()
    expect(handled).toHaveBeenCalledTimes(3)
    expect(takePlace).not.toHaveBeenCalled()
    await send('POST', request('initialize')).handle()
    expect(takePlace).toHaveBeenCalledOnce()
    expect(handled).toHaveBeenCalledTimes(4)
  })

  it('is short', async () => {
    const { send, handled } = scene()
    await send('POST', `"${'x'.repeat(2 * 1024 * 1024)}"`).handle()
    expect(handled).not.toHaveBeenCalled()
  })
})

describe('a client that leaves', () => {
  it('before its request has its turn keeps nothing open', async () => {
    const { session, send, handled } = scene()
    const { leave, handle } = send('POST', request('initialize'))
    leave()
    await handle()
    expect(session.inUse).toBe(false)
    expect(handled).not.toHaveBeenCalled()
  })

  it('while it waits for a place gives the place back', async () => {
    const place = deferred<void>()
    const { send, gone, handled, takePlace } = scene({ place: place.promise })
    const { leave, handle } = send('POST', request('initialize'))
    const handling = handle()
    await vi.waitFor(() => expect(takePlace).toHaveBeenCalled())
    leave()
    await vi.waitFor(() => expect(gone).toHaveBeenCalledOnce())
    place.resolve()
    await handling
    expect(gone).toHaveBeenCalledTimes(2)
    expect(handled).not.toHaveBeenCalled()
  })

  it('when its session is about to begin starts no server', async () => {
    const { send, begin, began } = scene()
    const { leave, handle } = send('POST', request('initialize'))
    await handle()
    leave()
    await begin('id')
    expect(began).not.toHaveBeenCalled()
  })
})
