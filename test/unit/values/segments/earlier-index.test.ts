import { describe, expect, it } from 'vitest'
import type { JsonValue } from '../../../../src/core/json.ts'
import type { Piece } from '../../../../src/core/piece.ts'
import { paced } from '../../../../src/core/steps.ts'
import { earlierIndex, lastSegment } from '../../../../src/values/segments/earlier-index.ts'
import { GrowingValue, type GrownSoFar } from '../../../../src/values/segments/growing.ts'
import { SegmentReader } from '../../../../src/values/segments/reader.ts'
import type { SegmentIndex } from '../../../../src/values/segments/segment-index.ts'

const SEGMENT = 40

/** Small items, and some that are larger than a segment. */
function itemAt(n: number): JsonValue {
  if (n % 7 === 3) return { n, list: Array.from({ length: 30 }, (_, at) => ({ at, n })) }
  if (n % 7 === 5) return `${n} ${'long "text" \\ é '.repeat(12)}`
  return n % 2 === 0 ? { n } : [n, 'x'.repeat(n % 50)]
}

function lineAt(n: number): string {
  return n % 5 === 2 ? `half of line ${n}` : `line ${n} ${'y'.repeat(n % 60)}\n`
}

interface Moment {
  readonly soFar: GrownSoFar
  readonly value: JsonValue
}

/** A value that grows, all of its moments, and its segments at the end. */
function grow(kind: Piece['kind'], count: number) {
  const growing = new GrowingValue(kind, { maxBytes: 1e9, segmentLength: SEGMENT })
  const segments: string[] = []
  const moments: Moment[] = []
  const items: JsonValue[] = []
  let text = ''
  for (let n = 0; n < count; n++) {
    const item = itemAt(n)
    items.push(item)
    text += lineAt(n)
    segments.push(
      ...growing.push(
        kind === 'items' ? { kind, json: JSON.stringify(item), count: 1 } : { kind: 'text', text: lineAt(n) },
      ),
    )
    moments.push({ soFar: growing.soFar(), value: kind === 'items' ? [...items] : text })
  }
  const ended = growing.end()
  if (!('segments' in ended)) throw new Error('The value should have several segments.')
  return { moments, segments: [...segments, ...ended.segments], ended: ended.index }
}

/** The value at an earlier moment, read from what there is at a later one. */
function readerAt({ soFar }: Moment, later: SegmentIndex, load: (position: number) => string) {
  const { length } = soFar.index
  const index = earlierIndex(later, { length, available: soFar.available, valueBytes: soFar.jsonBytes })
  const isLast = (position: number) => position === index.segments.length - 1
  return new SegmentReader(index, async position =>
    isLast(position) ? lastSegment(index, load(position)) : load(position),
  )
}

describe.each(['items', 'text'] as const)('a value of %s that has grown since', kind => {
  const { moments, segments, ended } = grow(kind, 60)

  it('is read as it was, from what it has become', async () => {
    for (const moment of moments) {
      const reader = readerAt(moment, ended, position => segments[position] as string)
      expect(await paced(reader.value())).toEqual(moment.value)
      expect(await paced(reader.json())).toBe(JSON.stringify(moment.value))
      expect(reader.index.length).toBe(moment.soFar.index.length)
      expect(reader.index.jsonBytes).toBe(moment.soFar.jsonBytes)
    }
  })

  it('is read as it was, from what it is at any later moment', async () => {
    for (const [at, moment] of moments.entries()) {
      for (const later of moments.slice(at + 1).filter((_, n) => n % 9 === 0)) {
        const { index, tail } = later.soFar
        const load = (position: number) =>
          position === index.segments.length - 1 ? tail : (segments[position] as string)
        const reader = readerAt(moment, index, load)
        expect(await paced(reader.value())).toEqual(moment.value)
        const [root] = reader.index.containers
        if (!root) continue
        expect(root).toMatchObject({ count: moment.soFar.available, end: moment.soFar.index.length })
        const last = await paced(reader.parts(0, moment.soFar.available - 1, 1))
        const expected =
          kind === 'items'
            ? JSON.stringify((moment.value as JsonValue[]).at(-1))
            : /[^\n]*\n?$/.exec((moment.value as string).replace(/\n$/, ''))?.[0]
        expect(last.replace(/\n$/, '')).toBe(expected)
      }
    }
  })
})
