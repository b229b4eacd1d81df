import { expect } from 'vitest'
import { SegmentReader } from '../../../../src/values/segments/reader.ts'
import {
  parseIndex,
  type SegmentIndex,
  stringifyIndex,
} from '../../../../src/values/segments/segment-index.ts'
import { ValueWriter } from '../../../../src/values/segments/writer.ts'

export const MAX_BYTES = 256 * 1024 * 1024

export interface Stored {
  readonly segments: string[]
  readonly index: SegmentIndex
  readonly reader: SegmentReader
  /** Numbers of the segments that the reader loaded. */
  readonly loaded: number[]
}

/** A value in segments that are held in memory. */
export async function write(value: unknown, segmentLength?: number, verbatim = false): Promise<Stored> {
  const segments: string[] = []
  const options = { maxBytes: MAX_BYTES, verbatim, ...(segmentLength ? { segmentLength } : {}) }
  const written = await new ValueWriter(value, options).write(async (segment, position) => {
    expect(position).toBe(segments.length)
    segments.push(segment)
  })
  if (!('index' in written))
    throw new Error(`The value was written in one piece: ${written.json.slice(0, 100)}`)
  const index = parseIndex(stringifyIndex(written.index))
  const loaded: number[] = []
  const reader = new SegmentReader(index, async segment => {
    loaded.push(segment)
    return segments[segment] as string
  })
  return { segments, index, reader, loaded }
}
