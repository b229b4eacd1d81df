import { afterEach, describe, expect, it, vi } from 'vitest'
import { channels } from '../../../src/telemetry/channels.ts'
import type { ClientRequestMessage, ServerRequestMessage } from '../../../src/telemetry/messages.ts'
import { idIn, serverOf, Wired } from './wired.ts'

/** Requests that a wrapper only passes on are heard of like those that it answers. */

const CLIENTS = '00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01'
const OURS = '00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-cccccccccccccccc-01'
const INTRODUCTION =
  '{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}'

type Heard = [side: string, what: string, failure: string | undefined]

const cleanUp: Array<() => unknown> = []
afterEach(async () => {
  for (const end of cleanUp.splice(0).reverse()) await end()
})

/** What listeners are told, once a request has ended. One puts what goes to the server into a trace of its own. */
function listen(): Heard[] {
  const heard: Heard[] = []
  const end = (side: string) => (message: ServerRequestMessage | ClientRequestMessage) => {
    heard.push([
      side,
      [message.method, message.tool ?? message.prompt].filter(Boolean).join(' '),
      message.failure,
    ])
  }
  const none = { start() {}, end() {}, asyncStart() {}, error() {} }
  const server = { ...none, asyncEnd: end('server') }
  const client = {
    ...none,
    start(message: ClientRequestMessage) {
      message.trace = { traceparent: OURS }
    },
    asyncEnd: end('client'),
  }
  channels.serverRequest.subscribe(server)
  channels.clientRequest.subscribe(client)
  cleanUp.push(() => {
    channels.serverRequest.unsubscribe(server)
    channels.clientRequest.unsubscribe(client)
  })
  return heard
}

/** A wrapper whose server notes what it gets; `answer` says its line, or keeps quiet. */
async function introduced(
  answer: (line: string, say: (line: string) => void) => string | undefined = () => '{}',
) {
  const got: string[] = []
  const serve = serverOf(
    (line, say) => {
      got.push(line)
      return answer(line, say)
    },
    '[{"name":"plain","inputSchema":{"type":"object"}}]',
    '{"tools":{},"resources":{},"prompts":{}}',
  )
  const wired = await Wired.open(serve, { settings: { defaults: {}, tools: { plain: { cache: false } } } })
  cleanUp.push(() => wired.close())
  await wired.ask('init', 'initialize', INTRODUCTION)
  await wired.ask('list', 'tools/list')
  return { wired, got }
}

const READ = `{"uri":"file:///a","_meta":{"traceparent":"${CLIENTS}"}}`

describe('a request that is passed on', () => {
  it.each([
    ['resources/read', READ, 'resources/read'],
    ['prompts/get', '{"name":"greet"}', 'prompts/get greet'],
    ['tools/call', '{"name":"plain","arguments":{}}', 'tools/call plain'],
    ['completion/complete', '{}', 'completion/complete'],
  ])('is heard of on both sides: %s', async (method, params, what) => {
    const { wired, got } = await introduced()
    const heard = listen()
    await wired.ask(1, method, params)
    await vi.waitFor(() =>
      expect(heard).toEqual([
        ['client', what, undefined],
        ['server', what, undefined],
      ]),
    )
    expect(got.at(-1)).toContain(OURS)
    expect(got.at(-1)).not.toContain(CLIENTS)
  })

  it('is as the client sent it where nobody listens', async () => {
    const { wired, got } = await introduced()
    await wired.ask(1, 'resources/read', READ)
    expect(JSON.parse(got.at(-1) ?? '').params).toEqual(JSON.parse(READ))
  })

  it('says with which code the server refused it', async () => {
    const { wired } = await introduced((line, say) => {
      say(`{"jsonrpc":"2.0","id":${idIn(line)},"error":{"code":-32002,"message":"no such file"}}`)
      return undefined
    })
    const heard = listen()
    await wired.ask(1, 'resources/read', READ)
    await vi.waitFor(() => expect(heard.at(-1)).toEqual(['server', 'resources/read', '-32002']))
  })

  it('ends where the client does not want it any more', async () => {
    const { wired, got } = await introduced(() => undefined)
    const heard = listen()
    wired.send(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":${READ}}`)
    await vi.waitFor(() => expect(got.at(-1)).toContain('resources/read'))
    expect(heard).toEqual([])
    wired.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}')
    await vi.waitFor(() => expect(heard.at(-1)).toEqual(['server', 'resources/read', undefined]))
  })

  it('ends with the wrapper', async () => {
    const { wired, got } = await introduced(() => undefined)
    const heard = listen()
    wired.send(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":${READ}}`)
    await vi.waitFor(() => expect(got.at(-1)).toContain('resources/read'))
    await wired.close()
    await vi.waitFor(() => expect(heard.at(-1)?.slice(0, 2)).toEqual(['server', 'resources/read']))
  })
})
