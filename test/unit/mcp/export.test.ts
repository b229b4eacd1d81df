import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { afterEach, describe, expect, it } from 'vitest'
import { AccessPolicy } from '../../../src/access/policy.ts'
import type { JsonValue } from '../../../src/core/json.ts'
import { scene } from './scene.ts'

const made: string[] = []
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true })
})

async function exporting() {
  const exportDir = mkdtempSync(join(tmpdir(), 'export-'))
  made.push(exportDir)
  const { call, cache, client } = await scene({ attach: { exportDir }, tools: () => {} })
  const exported = async (ref_id: string, format: string, name?: string) => {
    const answer = await call('export_cached_result', { ref_id, format, ...(name ? { name } : {}) })
    const { body } = answer
    if (body.error) return { body, content: '' }
    const bytes = readFileSync(join(exportDir, String(body.name)))
    expect(body.bytes).toBe(bytes.length)
    expect(body.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
    return { body, bytes, content: bytes.toString('utf8') }
  }
  return { cache, client, call, exported, exportDir }
}

const rows: JsonValue[] = [
  { id: 1, name: 'a,"b"\r\nc', more: { x: [1] } },
  { id: 2, name: '=1+1', extra: true },
  { id: 3, name: '' },
]

describe('export_cached_result', () => {
  it('is there only where a folder was allowed', async () => {
    const { client } = await scene({ tools: () => {} })
    const names = (await client.listTools()).tools.map(({ name }) => name)
    expect(names).not.toContain('export_cached_result')
    const { client: other } = await exporting()
    expect((await other.listTools()).tools.map(({ name }) => name)).toContain('export_cached_result')
  })

  it('writes rows as CSV that gives every cell back, and counts them', async () => {
    const { cache, exported } = await exporting()
    const { refId } = await cache.set('orders', rows)
    const { body, content } = await exported(refId, 'csv', 'orders.csv')
    expect(body).toMatchObject({ name: 'orders.csv', rows: 3 })
    expect(parse(content)).toEqual([
      ['id', 'name', 'more', 'extra'],
      ['1', 'a,"b"\r\nc', '{"x":[1]}', ''],
      ['2', '=1+1', '', 'true'],
      ['3', '', '', ''],
    ])
    const lists = await cache.set('lists', [[1, 2], [3], 'x'])
    expect((await exported(lists.refId, 'csv')).content).toBe('c1,c2,value\r\n1,2,\r\n3,,\r\n,,x\r\n')
  })

  it('writes JSON lines, JSON and text', async () => {
    const { cache, exported } = await exporting()
    const { refId } = await cache.set('orders', rows)
    const lines = await exported(refId, 'jsonl')
    expect(lines.body.rows).toBe(3)
    expect(lines.content).toBe(rows.map(row => `${JSON.stringify(row)}\n`).join(''))
    expect(lines.body.name).toMatch(/^orders-[0-9a-f]{8}\.jsonl$/)
    expect((await exported(refId, 'json')).content).toBe(JSON.stringify(rows))
    const text = '{"n": 1e400,\n "d": 0.10}\n'
    const file = await cache.set('file', text)
    for (const format of ['text', 'original', 'json'])
      expect((await exported(file.refId, format)).content, format).toBe(text)
    const note = await cache.set('note', 'two\nlines')
    expect((await exported(note.refId, 'json')).content).toBe('"two\\nlines"')
  })

  it('writes a part, and a table within a value', async () => {
    const { cache, exported } = await exporting()
    const { refId } = await cache.set('both', { data: { orders: rows }, tags: ['a', 'b'] })
    expect((await exported(`${refId}#/tags`, 'jsonl')).content).toBe('"a"\n"b"\n')
    const { body } = await exported(refId, 'csv')
    expect(JSON.stringify(body)).toMatch(/#\/tags, #\/data\/orders|#\/data\/orders, #\/tags/)
    const csv = await cache.set('csv', 'a;b\n1;"x\ny"\n2;z\n3;w\n')
    expect(await exported(csv.refId, 'jsonl')).toMatchObject({ body: { rows: 3 } })
  })

  it('writes all of a large value', async () => {
    const { cache, exported } = await exporting()
    const many = Array.from({ length: 40_000 }, (_, id) => ({ id, name: `row ${id}` }))
    const { refId } = await cache.set('many', many)
    const { body, content } = await exported(refId, 'csv')
    expect(body.rows).toBe(40_000)
    expect(content.split('\r\n')).toHaveLength(40_002)
    expect(JSON.parse((await exported(refId, 'json')).content)).toEqual(many)
  })

  it('writes the bytes of a blob', async () => {
    const { cache, exported } = await exporting()
    const bytes = Buffer.alloc(3_000_001, 7)
    const image = { type: 'image', data: bytes.toString('base64'), mimeType: 'image/png' }
    const shoot = cache.cached({ name: 'shoot', projection: 'returned-result' }, () => ({
      content: [{ type: 'text', text: 'x' }, image],
    }))
    const { refId } = await shoot({})
    const { body, bytes: written } = await exported(`${refId}#/content/1`, 'original')
    expect(body.name).toMatch(/\.png$/)
    expect(written?.equals(bytes)).toBe(true)
  })

  it('links to the file, and needs READ', async () => {
    const { cache, call, client, exportDir } = await exporting()
    const { refId } = await cache.set('x', rows)
    const { content } = await client.callTool({
      name: 'export_cached_result',
      arguments: { ref_id: refId, format: 'json' },
    })
    const link = content.find(({ type }) => type === 'resource_link')
    expect(link).toMatchObject({ uri: expect.stringMatching(/^file:\/\//), mimeType: 'application/json' })
    const hidden = await cache.set('hidden', rows, { policy: AccessPolicy.executeOnly })
    const before = readdirSync(exportDir).length
    for (const args of [
      { ref_id: hidden.refId, format: 'json' },
      { ref_id: refId, format: 'xml' },
      { ref_id: refId, format: 'json', name: '../x' },
    ]) {
      expect((await call('export_cached_result', args)).isError).toBe(true)
    }
    expect(readdirSync(exportDir)).toHaveLength(before)
  })
})
