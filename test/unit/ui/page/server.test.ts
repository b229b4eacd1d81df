import { afterEach, expect, it, vi } from 'vitest'
import { server } from '../../../../src/ui/page/server.ts'

afterEach(() => void vi.unstubAllGlobals())

function answering(answer: () => Promise<Response>): void {
  vi.stubGlobal('fetch', answer)
}

function cutOff(): Response {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"row":'))
      controller.error(new TypeError('network error'))
    },
  })
  return new Response(body)
}

it.each<[string, () => Promise<Response>]>([
  ['refuses the connection', () => Promise.reject(new TypeError('Failed to fetch'))],
  ['ends in the middle of its answer', async () => cutOff()],
])('a server that %s is away', async (_, answer) => {
  answering(answer)
  await expect(server.entry('files:1')).rejects.toMatchObject({ code: 'away' })
})

it.each([200, 502])('an answer of status %i that is no JSON is not understood', async status => {
  answering(async () => new Response('<html>', { status }))
  await expect(server.entry('files:1')).rejects.toMatchObject({ code: 'unknown' })
})

it('what the server refuses is told by its code', async () => {
  answering(async () => Response.json({ code: 'not_found', message: 'gone' }, { status: 404 }))
  await expect(server.entry('files:1')).rejects.toMatchObject({ code: 'not_found', message: 'gone' })
})
