import { describe, expect, it } from 'vitest'
import { checkOrigin } from '../../../src/wrap/http/allowed-origins.ts'
import { HEADERS, initialize, openHttp } from './http-scene.ts'
import { serverOf } from './wired.ts'

const APP = 'https://app.example'
const serve = serverOf(() => '{}')
const open = (...allowOrigins: string[]) => openHttp(serve, { listen: { allowOrigins } })

function preflight(url: string, origin: string, asked = 'content-type') {
  const headers = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': asked,
  }
  return fetch(url, { method: 'OPTIONS', headers })
}

const begin = (url: string, headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', headers: { ...HEADERS, ...headers }, body: initialize() })

function listOf(response: Response, header: string): string[] {
  return (response.headers.get(header) ?? '').split(',').map(name => name.trim().toLowerCase())
}

describe('a web page of an allowed origin', () => {
  it('is answered its preflight: the methods, the headers of MCP, and the parameters it asks for', async () => {
    const { url, sessions } = await open('https://other.example', APP)
    const asked = 'content-type, mcp-param-region, Mcp-Param-X_1, x-other, mcp-param-'
    const response = await preflight(url, APP, asked)
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe(APP)
    expect(listOf(response, 'access-control-allow-methods')).toEqual(['get', 'post', 'delete'])
    const allowed = listOf(response, 'access-control-allow-headers')
    for (const name of [
      'accept',
      'authorization',
      'content-type',
      'last-event-id',
      'mcp-method',
      'mcp-name',
      'mcp-protocol-version',
      'mcp-session-id',
      'mcp-param-region',
      'mcp-param-x_1',
    ])
      expect(allowed).toContain(name)
    expect(allowed).not.toContain('x-other')
    expect(allowed).not.toContain('mcp-param-')
    expect(listOf(response, 'vary')).toContain('origin')
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
    expect(sessions).toEqual([])
  })

  it('may read the answer, the session id and what an unauthorized one wants, at each status', async () => {
    const { url } = await open(APP)
    for (const [headers, status] of [
      [{}, 200],
      [{ 'mcp-session-id': 'gone', 'content-type': 'text/plain' }, 415],
    ] as const) {
      const response = await begin(url, { origin: APP, ...headers })
      expect(response.status).toBe(status)
      expect(response.headers.get('access-control-allow-origin')).toBe(APP)
      expect(listOf(response, 'access-control-expose-headers')).toEqual([
        'mcp-session-id',
        'www-authenticate',
      ])
      expect(listOf(response, 'vary')).toContain('origin')
      await response.text()
    }
  })
})

describe('a web page of another origin', () => {
  it.each([
    ['near the allowed one', 'https://app.example:8443'],
    ['of another scheme', 'http://app.example'],
    ['below it', 'https://sub.app.example'],
    ['of a sandbox', 'null'],
  ])('%s is refused, with nothing that lets it read why', async (_, origin) => {
    const { url, sessions } = await open(APP)
    for (const response of [await begin(url, { origin }), await preflight(url, origin)]) {
      expect(response.status).toBe(403)
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
      expect(response.headers.get('access-control-allow-headers')).toBeNull()
      expect(listOf(response, 'vary')).toContain('origin')
    }
    expect(sessions).toEqual([])
  })

  it('is refused where none is allowed, and no response speaks of origins', async () => {
    const { url } = await open()
    expect((await preflight(url, APP)).status).toBe(403)
    const own = await begin(url)
    expect(own.status).toBe(200)
    expect(own.headers.get('vary')).toBeNull()
  })

  it('that is local is admitted as before, without headers, unless it is named', async () => {
    for (const allowed of [[], [APP], ['http://localhost:6274']]) {
      const { url } = await open(...allowed)
      const response = await begin(url, { origin: 'http://localhost:6274' })
      expect(response.status).toBe(200)
      const named = allowed.includes('http://localhost:6274')
      expect(response.headers.get('access-control-allow-origin')).toBe(named ? 'http://localhost:6274' : null)
      await response.text()
    }
  })
})

describe('the endpoint', () => {
  it.each(['/mcp', '/mcp/', '/mcp?x=1', '/mcp/?x=1'])('is there as %s', async path => {
    const { url } = await open()
    expect((await begin(new URL(path, url).href)).status).toBe(200)
  })

  it.each(['/', '/mcp/x', '/mcpx', '/mcp//'])('is not %s', async path => {
    const { url } = await open()
    expect((await begin(new URL(path, url).href)).status).toBe(404)
  })
})

describe('a session id that is not known', () => {
  it('begins a new session with initialize, and anything else is told to', async () => {
    const { url, sessions } = await open()
    const stale = { 'mcp-session-id': 'an-old-one', 'mcp-protocol-version': '2025-11-25' }
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    const attempts: RequestInit[] = [
      { method: 'POST', body: ping },
      { method: 'POST', body: 'no JSON' },
      { method: 'POST', body: `"${'x'.repeat(2 * 1024 * 1024)}"` },
      { method: 'GET' },
      { method: 'DELETE' },
    ]
    for (const attempt of attempts) {
      const response = await fetch(url, { ...attempt, headers: { ...HEADERS, ...stale } })
      expect(response.status).toBe(404)
      expect(await response.text()).toContain('Initialize again')
    }
    expect(sessions).toEqual([])
    const response = await begin(url, stale)
    expect(response.status).toBe(200)
    const id = response.headers.get('mcp-session-id') ?? ''
    expect(id).not.toBe('an-old-one')
    expect(sessions).toHaveLength(1)
    const headers = { ...HEADERS, ...stale, 'mcp-session-id': id }
    expect((await fetch(url, { method: 'POST', headers, body: ping })).status).toBe(200)
  })
})

describe('an origin that the operator allows', () => {
  it.each([
    'https://app.example',
    'http://localhost:6274',
    'https://[::1]:8443',
    'https://xn--bcher-kva.example',
    'chrome-extension://abcdefghijklmnop',
  ])('is taken as it is: %s', text => {
    expect(checkOrigin(text)).toBe(text)
  })

  it.each([
    ['*', /name each origin/],
    ['https://*.example', /name each origin/],
    ['null', /sandboxed/],
    ['app.example', /no origin.*such as https:/],
    ['', /no origin/],
    ['https://app.example/', /did you mean https:\/\/app\.example\?/],
    ['https://app.example/path', /did you mean https:\/\/app\.example\?/],
    ['https://app.example:443', /did you mean https:\/\/app\.example\?/],
    ['HTTPS://App.Example', /did you mean https:\/\/app\.example\?/],
    ['https://a.example,https://b.example', /no origin/],
    ['data:text/html,x', /no origin/],
  ])('is refused in words: %s', (text, message) => {
    expect(() => checkOrigin(text)).toThrow(message)
  })
})
