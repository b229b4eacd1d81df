import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FILESYSTEM, PLAIN, Workshop } from './fixtures/wrap-harness.ts'

const REF = 'mcp-refcache/ref_id'

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

async function call(client: Client, name: string, args: Answer = {}): Promise<Answer> {
  return client.callTool({ name, arguments: args })
}

function body(result: Answer): Answer {
  return result.structuredContent
}

function poll(client: Client, refId: string, args: Answer = {}): Promise<Answer> {
  return call(client, 'get_cached_result', { ref_id: refId, ...args })
}

function withoutRef({ _meta, ...result }: Answer): Answer {
  const { [REF]: refId, ...meta } = _meta
  expect(refId).toMatch(/^[a-z0-9._-]+:[0-9a-f]{32}$/)
  return Object.keys(meta).length === 0 ? result : { ...result, _meta: meta }
}

/** A large answer through `wrap`: a text of so many lines, and media of so many bytes each. */
export function largeAnswers({ lines, size }: { readonly lines: number; readonly size: number }): void {
  let workshop: Workshop
  beforeEach(() => {
    workshop = new Workshop()
  })
  afterEach(() => workshop.close())

  it('of a file: its pages put together equal the file', async () => {
    const file = join(workshop.folder, 'large.txt')
    const texts = Array.from(
      { length: lines },
      (_, i) => `${i}\t${randomBytes(30).toString('hex')} "quoted" grüße 🎈`,
    )
    const content = texts.join('\n')
    writeFileSync(file, content)
    expect(Buffer.byteLength(content)).toBeGreaterThan(lines * 85)

    const { client } = await workshop.client([...FILESYSTEM, workshop.folder], {
      wrap: ['--max-size', '500', '--max-answer', '200000', '--async-timeout', '2m'],
    })
    const preview = body(await call(client, 'read_text_file', { path: file }))
    expect(preview).toMatchObject({ status: 'complete', is_complete: false, is_async: false })
    expect(preview.preview_size).toBeLessThanOrEqual(500)
    expect(preview.original_size).toBeGreaterThan(lines * 17)

    let joined = ''
    for (let page = 1, pages = 1; page <= pages; page++) {
      const answer = body(await poll(client, preview.ref_id, { page, max_size: 150_000 }))
      joined += answer.preview
      pages = answer.total_pages
    }
    expect(joined === content).toBe(true)
  })

  it('with media comes back byte for byte, as blocks that a client can show', async () => {
    const direct = await workshop.connect(PLAIN)
    const expected = await call(direct.client, 'media', { size })
    const usual = await workshop.client(PLAIN)
    // On a slow machine it takes so long that it has an entry, and names it.
    const { _meta: meta, ...passed } = await call(usual.client, 'media', { size })
    const { [REF]: _, ...own } = meta ?? {}
    expect({ ...passed, ...(Object.keys(own).length > 0 ? { _meta: own } : {}) }).toEqual(expected)
    const { client } = await workshop.client(PLAIN, { wrap: ['--inline', '0'] })
    const preview = body(await call(client, 'media', { size }))
    expect(preview.is_complete).toBe(false)
    expect(JSON.stringify(preview).length).toBeLessThan(3_000)
    expect(preview.preview[1].data).toContain(`${size} bytes`)
    expect(withoutRef(await poll(client, preview.ref_id, { full: true }))).toEqual(expected)
  })
}
