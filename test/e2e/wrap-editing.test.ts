import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { FILESYSTEM, Workshop } from './fixtures/wrap-harness.ts'

let workshop: Workshop
beforeEach(() => {
  workshop = new Workshop()
})
afterEach(() => workshop.close())

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
type Answer = Record<string, any>

/** The filesystem server behind `wrap`, and what its agent wrote and read in tokens. */
async function filesystem() {
  const folder = workshop.folder
  const exports = join(folder, 'exports')
  const { client } = await workshop.client([...FILESYSTEM, folder], { wrap: ['--export-dir', exports] })
  const spent = { calls: 0, tokens: 0 }
  const call = async (name: string, args: Record<string, unknown>): Promise<Answer> => {
    const answer = (await client.callTool({ name, arguments: args })) as Answer
    spent.calls++
    spent.tokens += countTokens(JSON.stringify({ name, args })) + countTokens(String(answer.content[0].text))
    expect(answer.isError, JSON.stringify(answer)).toBeFalsy()
    return answer
  }
  return { call, folder, exports, spent }
}

const body = ({ content }: Answer) => JSON.parse(content[0].text) as Answer

const rows = Array.from({ length: 2_400 }, (_, id) => ({
  id,
  title: `Item ${id} – größe`,
  cells: [id, `note ${id}`, 0.1],
}))
const document = JSON.stringify({ title: 'plan', rows }, null, 2)
  .replaceAll('ö', '\\u00f6')
  .replace('"id": 3,', '"id": 12345678901234567890,')

it('changes one row of a large document and has the server write it, to the byte', async () => {
  const { call, folder, exports, spent } = await filesystem()
  writeFileSync(join(folder, 'plan.json'), document)
  const read = await call('read_text_file', { path: join(folder, 'plan.json'), _as_ref: true })
  const { ref_id } = body(read)
  await call('get_cached_result', { ref_id: `${ref_id}#/rows/1703` })
  const edits = [
    { op: 'test', path: '/rows/1703/cells/1', value: 'note 1703' },
    { op: 'replace', path: '/rows/1703/cells/1', value: 'done' },
  ]
  const edited = body(await call('edit_cached_result', { ref_id, edits }))
  await call('write_file', { path: join(folder, 'new.json'), content: edited.ref_id })
  expect(readFileSync(join(folder, 'new.json'), 'utf8')).toBe(document.replace('"note 1703"', '"done"'))
  expect(spent.calls).toBeLessThanOrEqual(5)
  expect(spent.tokens).toBeLessThanOrEqual(3_000)
  const file = body(await call('export_cached_result', { ref_id: `${edited.ref_id}#/rows`, format: 'jsonl' }))
  expect(file.rows).toBe(rows.length)
  expect(readdirSync(exports)).toEqual([file.name])
})

it('passes the text of an exact edit on to the server’s own edit tool', async () => {
  const { call, folder } = await filesystem()
  const path = join(folder, 'code.ts')
  const code = Array.from({ length: 700 }, (_, at) => `\tconst a${at} = '${at}' // é`).join('\n')
  writeFileSync(path, code)
  const { ref_id } = body(await call('read_text_file', { path, _as_ref: true }))
  const edited = body(
    await call('edit_cached_result', { ref_id, edits: [{ find: "a312 = '312'", replace: "b312 = 'x'" }] }),
  )
  expect(edited.changes).toEqual([
    { at: '#L313', before: "\tconst a312 = '312' // é", after: "\tconst b312 = 'x' // é" },
  ])
  const change = { oldText: `${ref_id}#L313`, newText: `${edited.ref_id}#L313` }
  await call('edit_file', { path, edits: [change] })
  expect(readFileSync(path, 'utf8')).toBe(code.replace("a312 = '312'", "b312 = 'x'"))
})
