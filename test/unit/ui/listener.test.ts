import { randomBytes } from 'node:crypto'
import { connect, Server } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openInspector } from '../../../src/inspect/index.ts'
import { memoryStore } from '../../../src/stores/memory.ts'
import { PageListener } from '../../../src/ui/server/listener.ts'
import { OperatorSight } from '../../../src/ui/server/operator-sight.ts'
import { scene } from '../flow/scene.ts'
import { pageFolder } from './looking.ts'

/** The page of an operator at a port of this machine, with the cookie of a browser that is in. */
async function listening() {
  const store = memoryStore()
  const { cache } = scene({ store })
  const links: string[] = []
  const sight = new OperatorSight({ inspector: openInspector(store), cacheOf: () => cache })
  const key = randomBytes(32)
  const onLink = (url: string) => links.push(url)
  const listener = new PageListener({ port: 0, sight: () => sight, page: pageFolder(), key, onLink })
  await listener.start()
  onTestFinished(async () => {
    await listener.close()
    await cache.close({ drain: 0 })
  })
  const { origin, port } = new URL(`${links[0]}`)
  const visit = await fetch(`${links[0]}`, { redirect: 'manual' })
  const cookie = `${visit.headers.get('set-cookie')}`.split(';')[0] ?? ''
  return { cache, origin, cookie, port: Number(port), host: `127.0.0.1:${port}` }
}

/** What is answered to these bytes, until the server closes. */
function said(port: number, bytes: string): Promise<string> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    let got = ''
    socket.setEncoding('latin1').on('data', text => {
      got += text
    })
    socket.once('error', () => {}).once('close', () => resolve(got))
    socket.write(bytes)
  })
}

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1])

describe('the listener of the page', () => {
  it('answers to its own two names and to no other form of the address', async () => {
    const { port, cookie } = await listening()
    const under = async (host: string) =>
      statusOf(
        await said(
          port,
          `GET /api/overview HTTP/1.1\r\n${host}Cookie: ${cookie}\r\nConnection: close\r\n\r\n`,
        ),
      )
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`]) {
      expect(await under(`Host: ${host}\r\n`), host).toBe(200)
    }
    for (const host of [
      `localhost.:${port}`,
      `127.1:${port}`,
      `0.0.0.0:${port}`,
      `2130706433:${port}`,
      `[::ffff:127.0.0.1]:${port}`,
      `[::1]:${port}`,
      '127.0.0.1',
      `127.0.0.1:${port + 1}`,
      `me@127.0.0.1:${port}`,
      `127.0.0.1:${port}, evil.example`,
      `evil.example\r\nX-Forwarded-Host: 127.0.0.1:${port}`,
      `evil.example\r\nHost: 127.0.0.1:${port}`,
    ])
      expect(await under(`Host: ${host}\r\n`), host).toBe(403)
  })

  it('does nothing by another method, nor by what stands in the place of one', async () => {
    const { port, host, cookie, cache } = await listening()
    const { refId } = await cache.set('kept', 1)
    const body = JSON.stringify({ ref: refId })
    const more = `Host: ${host}\r\nCookie: ${cookie}\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n`
    const json = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'TRACE']) {
      const asked = `${method} /api/delete?_method=POST HTTP/1.1\r\n${more}X-HTTP-Method-Override: POST\r\n${json}\r\n${body}`
      expect([404, 405], method).toContain(statusOf(await said(port, asked)))
    }
    // The length of a body may be told in one way alone.
    const smuggled = `POST /api/delete HTTP/1.1\r\n${more}${json}Transfer-Encoding: chunked\r\n\r\n${body}`
    expect(statusOf(await said(port, smuggled))).toBe(400)
    expect(await cache.exists(refId)).toBe(true)
    // Requests that come in one go are answered in order, each by its own right.
    const get = (path: string, own = '') =>
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${own}Sec-Fetch-Site: same-origin\r\n`
    const both = `${get('/api/entries')}\r\n${get('/api/entries', `Cookie: ${cookie}\r\n`)}Connection: close\r\n\r\n`
    const answers = (await said(port, both)).match(/^HTTP\/1\.1 \d+/gm)
    expect(answers).toEqual(['HTTP/1.1 401', 'HTTP/1.1 200'])
  })

  it('gives no file but its own, whatever the path says', async () => {
    const { port, host, cookie } = await listening()
    for (const path of [
      '/../../package.json',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/%2e%2e/package.json',
      '/page.js%00.html',
      '/\\..\\package.json',
      'http://evil.example/../package.json',
    ]) {
      const answer = await said(
        port,
        `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`,
      )
      expect(answer, path).not.toContain('"version"')
      // And it leads nowhere but to a place of its own.
      expect(answer, path).not.toMatch(/^location: (?!\.\/)/im)
    }
  })

  it('goes on where connections cannot be taken', async () => {
    const listens = vi.spyOn(Server.prototype, 'listen')
    const { origin } = await listening()
    const server = listens.mock.contexts[0] as Server
    listens.mockRestore()
    for (let n = 0; n < 3; n++) server.emit('error', new Error('accept EMFILE'))
    expect((await fetch(origin)).status).toBe(401)
  })

  it('has no part in a request that never ends', async () => {
    const { port, host } = await listening()
    const before = process.memoryUsage().rss
    const socket = connect(port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    let answer = ''
    socket
      .once('error', () => {})
      .on('data', text => {
        answer += text
      })
    socket.write(`POST /api/cancel HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\n\r\n`)
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 'a'), Buffer.from('\r\n')])
    for (let sent = 0; sent < 3_000 && socket.write(chunk); ) sent++
    await expect.poll(() => statusOf(answer)).toBe(401)
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
  })
})
