import { describe, expect, it, vi } from 'vitest'
import type { JsonValue } from '../../../../src/core/json.ts'
import { paced, type ReadingSteps } from '../../../../src/core/steps.ts'
import { renderPart } from '../../../../src/preview/preview.ts'
import { SegmentContent } from '../../../../src/preview/segment-content.ts'
import { countDocumentTables } from '../../../../src/values/segments/document-tables.ts'
import { jsonInText } from '../../../../src/values/segments/json-in-text.ts'
import { write } from './written.ts'

const rows = Array.from({ length: 60_000 }, (_, id) => ({ id, name: `record ${id}`, note: 'of some length' }))
const LENGTH = JSON.stringify(rows).length

/** The most work between two turns of the event loop that a step may ask for: some milliseconds. */
const LARGEST_STEP = 150_000

/** Runs the steps, and says how large the largest is and how many there are. */
async function steps<T>(computation: ReadingSteps<T>): Promise<{ largest: number; count: number }> {
  let largest = 0
  let count = 0
  for (let step = computation.next(); !step.done; step = computation.next()) {
    count++
    if (typeof step.value === 'number') largest = Math.max(largest, step.value)
    else await step.value
  }
  return { largest, count }
}

/** How often the event loop may turn in the meantime. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  const turn = vi.spyOn(globalThis, 'setImmediate')
  try {
    await work()
    return turn.mock.calls.length
  } finally {
    turn.mockRestore()
  }
}

describe('a large value never holds the event loop for long', () => {
  it('while it is written', async () => {
    // A turn at each segment at least: a write to the store, or a step without one.
    let segments = 0
    const turns = await turnsDuring(async () => {
      segments = (await write(rows)).segments.length
    })
    expect(segments).toBeGreaterThanOrEqual(Math.floor(LENGTH / (128 * 1024)))
    expect(turns).toBeGreaterThan(LENGTH / 200_000)
  })

  it('while it is put together, and its tables are counted', async () => {
    const { reader } = await write(rows)
    for (const computation of [reader.value(), reader.json(), countDocumentTables(reader, 0)]) {
      const { largest, count } = await steps<JsonValue | string | object>(computation)
      expect(largest).toBeLessThan(LARGEST_STEP)
      expect(count).toBeGreaterThan(LENGTH / 300_000)
    }
  })

  it('while a text is looked through for JSON', async () => {
    const { largest, count } = await steps(jsonInText(JSON.stringify(rows, null, 2)))
    expect(largest).toBeLessThan(LARGEST_STEP)
    expect(count).toBeGreaterThan(LENGTH / 100_000)
  })

  it('while a preview and a page are made, which read a part of it', async () => {
    const { reader, loaded } = await write(rows)
    const content = new SegmentContent(reader)
    const request = { maxSize: 1000, sizeMode: 'character', strategy: 'sample' } as const
    await renderPart(content, request)
    await renderPart(content, { ...request, page: 20, pageSize: 5 })
    expect(new Set(loaded).size).toBeLessThan(30)
    const sample = reader.parts(0, 30_000, 200)
    expect((await steps(sample)).largest).toBeLessThan(LARGEST_STEP)
    expect(await paced(reader.parts(0, 59_999, 1))).toBe(JSON.stringify(rows[59_999]))
  })
})
