import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it } from 'vitest'
import { fetchWithoutTimeout } from '../../../src/wrap/fetch-without-timeout.ts'
import { Gate } from '../../../src/wrap/gate.ts'
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
  const http = createServer((_, response) => {
    const more = () => {
      while (written < 400 && response.write('x'.repeat(100_000))) written++
      if (written < 400) response.once('drain', more)
      else response.end()
      written++
    }
    more()
  })
  await new Promise<void>(resolve => http.listen(0, '127.0.0.1', resolve))
  const gate = new Gate()
  gate.close()
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`
  const response = gate.before(await fetchWithoutTimeout(url))
  const text = response.text()
  // As much as the buffers of both ends take, and no more.
  let before = -1
  while (before !== written) {
    before = written
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  expect(written).toBeLessThan(300)
  gate.open()
  expect((await text).length % 100_000).toBe(0)
  http.close()
})
