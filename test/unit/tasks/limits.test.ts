import { describe, expect, it } from 'vitest'
import { countTokens } from '../../../src/preview/preview.ts'
import { type Json, type Kind, type Revision, taskScene } from './scene.ts'

/** The result of a finished native task obeys the limits of its client, like any answer. */

const lines = (count: number) =>
  Array.from({ length: count }, (_, n) => `line ${n} of what the work found`).join('\n')

/** What a client is given for a task that ended with the text. */
async function finished(kind: Kind, revision: Revision, clientName: string, text: string): Promise<Json> {
  const { ask, work } = await taskScene(kind, revision, clientName)
  const call = { name: 'work', arguments: {} }
  if (revision === '2025-11-25') {
    const { task } = await ask('tools/call', { ...call, task: {} })
    work.end.resolve(text)
    return ask('tasks/result', { taskId: task.taskId })
  }
  const { taskId } = await ask('tools/call', call)
  work.end.resolve(text)
  const get = () => ask('tasks/get', { taskId })
  await expect.poll(async () => (await get()).status).toBe('completed')
  return (await get()).result
}

const combinations = (['attachRefCache', 'wrap'] as const).flatMap(kind =>
  (['2025-11-25', '2026-07-28'] as const).map(revision => [kind, revision] as const),
)

describe.each(combinations)('the result of a task, %s, %s', (kind, revision) => {
  it('passes exactly up to the inline limit', async () => {
    const text = lines(500)
    expect(await countTokens(text)).toBeGreaterThan(4_000)
    const result = await finished(kind, revision, 'test', text)
    expect(result.content).toEqual([{ type: 'text', text }])
    expect(result.structuredContent).toBeUndefined()
  })

  it.each([
    ['beyond it', 'test', 1_500, 2_000, Number.POSITIVE_INFINITY],
    ['beyond what the client takes', 'cline', 500, 2_000, 8_000],
    ['beyond any ceiling', 'claude-code', 9_000, 2_000, 50_000],
  ])(
    '%s is a preview with its reference and the next step',
    async (_, clientName, count, tokens, characters) => {
      const { content, structuredContent } = await finished(kind, revision, clientName, lines(count))
      const shown = JSON.parse(content[0].text)
      for (const body of [shown, structuredContent]) {
        expect(body).toMatchObject({
          ref_id: expect.any(String),
          status: 'complete',
          is_complete: false,
          preview: expect.stringContaining('line 0 of'),
          message: expect.stringContaining('get_cached_result'),
        })
      }
      expect(await countTokens(content[0].text)).toBeLessThanOrEqual(tokens)
      expect(content[0].text.length).toBeLessThanOrEqual(characters)
    },
  )
})
