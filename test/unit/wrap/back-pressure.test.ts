import { expect, it } from 'vitest'
import { Gate } from '../../../src/wrap/channels/gate.ts'
import { Chatty, turn } from './chatty.ts'
import { Wired } from './wired.ts'

it('a client that does not read makes its server wait, and gets all of it when it reads', async () => {
  const server = new Chatty()
  const session = await Wired.open(() => {}, { channel: async () => server })
  session.stopReading()
  const text = 'x'.repeat(100_000)
  let said = 0
  for (; said < 1_000 && !server.paused; said++) {
    server.say(`${said} ${text}`)
    await turn()
  }
  expect(said).toBeLessThan(10)
  // What the client has to say still reaches the server.
  session.send('{"jsonrpc":"2.0","id":1,"method":"ping"}')
  session.send('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}')
  while (server.heard.length < 2) await turn()
  session.goOnReading()
  while (server.paused) await turn()
  for (; said < 50; said++) {
    server.say(`${said} ${text}`)
    while (server.paused) await turn()
  }
  await session.line(`"49 `)
  expect(session.lines.map(line => /"data":"(\d+) /.exec(line)?.[1])).toEqual(
    Array.from({ length: 50 }, (_, at) => String(at)),
  )
  await session.close()
})

it('an answer over HTTP is read while the gate is open', async () => {
  let written = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (written++ < 400) controller.enqueue(new Uint8Array(1_000))
        else controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  const gate = new Gate()
  gate.close()
  const text = gate.before(new Response(body)).text()
  for (let i = 0; i < 100; i++) await turn()
  expect(written).toBe(0)
  gate.open()
  expect(await text).toHaveLength(400_000)
})
