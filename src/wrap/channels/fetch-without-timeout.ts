import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'

/** Answers that must not have a body, or `Response` refuses them. */
const BODILESS = new Set([101, 204, 205, 304])

/**
 * `fetch` without its time limits: the built-in one gives up on an answer that is silent for five minutes, and a
 * slow tool may well be. Redirects are answered as they are; whoever follows them decides.
 */
export const fetchWithoutTimeout: typeof fetch = async (target, init) => {
  const request = new Request(target, init)
  const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer())
  const url = new URL(request.url)
  return new Promise<Response>((resolve, reject) => {
    const send = url.protocol === 'https:' ? requestHttps : requestHttp
    const outgoing = send(url, {
      method: request.method,
      headers: { ...Object.fromEntries(request.headers), ...(body && { 'content-length': body.length }) },
      signal: request.signal,
    })
    outgoing.on('response', incoming => {
      const status = incoming.statusCode ?? 502
      const stream = BODILESS.has(status) ? null : (Readable.toWeb(incoming) as ReadableStream)
      if (stream === null) incoming.resume()
      try {
        const headers = new Headers()
        for (const [name, value] of Object.entries(incoming.headers)) {
          for (const one of Array.isArray(value) ? value : [value ?? '']) headers.append(name, one)
        }
        resolve(new Response(stream as ConstructorParameters<typeof Response>[0], { status, headers }))
      } catch (error) {
        // A status or a header that HTTP does not allow.
        incoming.destroy()
        reject(error)
      }
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
