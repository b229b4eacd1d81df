import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../src/core/json.ts'
import { PROXIED_RESULT } from '../../../src/values/result-projections.ts'
import { jsonOf, operatorLooks } from './looking.ts'

/** One pixel each, but for what is said to be larger. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const GIF = 'R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7'
const WEBP = 'UklGRiQAAABXRUJQVlA4IBgAAAAwAQCdASoBAAEAAwA0JaQAA3AA/vuUAAA='
const LOSSLESS = 'UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=='
const JPEG = Buffer.from(
  // Two segments, then the header of a frame of 3 by 2 pixels.
  'ffd8ffe000040000ffdb00040000ffc0000b080002000301011100ffd9',
  'hex',
).toString('base64')
const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>').toString('base64')

function pngOf(width: number, height: number): string {
  const bytes = Buffer.from(PNG, 'base64')
  bytes.writeUInt32BE(width, 16)
  bytes.writeUInt32BE(height, 20)
  return bytes.toString('base64')
}

const image = (data: string, mimeType = 'image/png') => ({ type: 'image', data, mimeType })

/** What the page is told of a tool's result. */
async function shown(content: JsonValue[], more: object = {}) {
  const { cache, ask } = operatorLooks()
  const tool = cache.cached({ name: 'tool', projection: PROXIED_RESULT }, async () => ({ content, ...more }))
  const { refId } = await tool({})
  const whole = await jsonOf(ask(`api/value?ref=${refId}`))
  return { ask, refId, ...whole }
}

describe('media of a result', () => {
  it.each([
    ['PNG', PNG, 'image/png', 1, 1],
    ['GIF', GIF, 'image/gif', 1, 1],
    ['WebP', WEBP, 'image/webp', 1, 1],
    ['lossless WebP', LOSSLESS, 'image/webp', 1, 1],
    ['JPEG', JPEG, 'image/jpeg', 3, 2],
  ])('are images to look at: %s', async (_, data, mimeType, width, height) => {
    const { content, media, tokens } = await shown([image(data, 'image/svg+xml')])
    expect([content, tokens]).toEqual([undefined, undefined])
    expect(media).toEqual([
      {
        kind: 'image',
        mimeType: 'image/svg+xml',
        bytes: Buffer.from(data, 'base64').length,
        // By its own bytes, whatever the tool says.
        image: { url: `data:${mimeType};base64,${data}`, width, height },
      },
    ])
  })

  it.each([
    ['SVG', SVG, 'image/svg+xml'],
    ['a web page', Buffer.from('<script>alert(1)</script>').toString('base64'), 'image/png'],
    ['nothing', '', 'image/png'],
    ['no base64', '">ä<script>', 'image/png'],
    ['cut short', PNG.slice(0, 20), 'image/png'],
    ['too many pixels', pngOf(100_000, 100_000), 'image/png'],
    ['too many bytes', `${PNG.slice(0, -4)}${'AAAA'.repeat(1_700_000)}`, 'image/png'],
  ])('are told by type and size alone: %s', async (_, data, mimeType) => {
    const { media } = await shown([image(data, mimeType)])
    expect(media).toEqual([{ kind: 'image', mimeType, bytes: expect.any(Number) }])
  })

  it('stand beside what the result says in words', async () => {
    const link = {
      type: 'resource_link',
      uri: 'https://example.com/report',
      name: 'report',
      mimeType: 'text/html',
    }
    const file = {
      type: 'resource',
      resource: { uri: 'file:///a.pdf', mimeType: 'application/pdf', blob: 'AAAA' },
    }
    const sound = { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' }
    const { content, media, tokens } = await shown([
      { type: 'text', text: 'three things' },
      link,
      file,
      sound,
    ])
    expect(content).toEqual({ kind: 'text', text: 'three things' })
    expect(tokens).toBeLessThan(100)
    expect(media).toEqual([
      { kind: 'link', uri: 'https://example.com/report', name: 'report', mimeType: 'text/html' },
      { kind: 'file', uri: 'file:///a.pdf', mimeType: 'application/pdf', bytes: 3 },
      { kind: 'audio', mimeType: 'audio/wav', bytes: 3 },
    ])
  })

  it('stand beside structured content, which repeats none of their bytes', async () => {
    const structuredContent = { page: 'home', screenshot: `data:image/png;base64,${PNG}` }
    const { content, media } = await shown([image(PNG)], { structuredContent })
    expect(content).toEqual({
      kind: 'json',
      value: { page: 'home', screenshot: expect.stringMatching(/^\(\d+ bytes/) },
    })
    expect(media).toMatchObject([{ image: { width: 1 } }])
  })

  it('stand beside a preview, and in the place of one', async () => {
    const long = await shown([{ type: 'text', text: 'line\n'.repeat(30_000) }, image(PNG)])
    expect(long.content.kind).toBe('text')
    expect(long.media).toMatchObject([{ bytes: 70, image: { width: 1 } }])
    const large = `${PNG.slice(0, -4)}${'AAAA'.repeat(1_000_000)}`
    const alone = await shown([image(large)])
    expect(alone.media).toMatchObject([{ kind: 'image', bytes: 3_000_069, image: { width: 1 } }])
    expect(alone).not.toHaveProperty('content')
    expect(alone).not.toHaveProperty('totalItems')
  })

  it('are told by type and size where the value is too large to be read for them', async () => {
    const large = `${PNG.slice(0, -4)}${'AAAA'.repeat(1_000_000)}`
    const { media, content } = await shown([image(large), image(large), image(large)])
    expect(media).toEqual(Array(3).fill({ kind: 'image', mimeType: 'image/png', bytes: 3_000_069 }))
    expect(content).toBeUndefined()
    const text = { type: 'text', text: 'line\n'.repeat(500_000) }
    expect((await shown([text, image(PNG)])).media).toEqual([
      { kind: 'image', mimeType: 'image/png', bytes: 70 },
    ])
  })

  it('are a part that can be named', async () => {
    const { ask, refId } = await shown([{ type: 'text', text: 'a screenshot' }, image(PNG)])
    const part = await jsonOf(ask(`api/value?ref=${encodeURIComponent(`${refId}#/content/1`)}`))
    expect(part).toMatchObject({ media: [{ image: { width: 1, height: 1 } }] })
    expect(part).not.toHaveProperty('content')
  })

  it('are at most so many', async () => {
    const { media } = await shown(Array.from({ length: 60 }, () => image(PNG)))
    expect(media).toHaveLength(50)
  })
})

it('a result in words alone is shown without its envelope', async () => {
  expect((await shown([{ type: 'text', text: 'all is well' }])).content).toEqual({
    kind: 'text',
    text: 'all is well',
  })
  expect((await shown([])).content).toEqual({ kind: 'text', text: '' })
})
