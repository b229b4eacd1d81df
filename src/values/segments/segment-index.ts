import { UnreadableValue } from '../../core/errors.ts'
import type { CountedTable } from '../counted-tables.ts'
import type { DescribedBlock } from '../text-blocks.ts'
import type { Envelope } from './envelope.ts'
import type { ShownFacts } from './stored-form.ts'

/** A larger value is stored in segments, each of about so many UTF-16 units at most. */
export const SEGMENT_LENGTH = 128 * 1024

/** UTF-16 units up to which a value is read and shown at once: one megabyte, a matter of milliseconds. A larger one is read by segments. */
export const LARGE_VALUE = 1024 * 1024

/**
 * Where the segments of a value begin, and what is in them. All positions are UTF-16 units of the text that the segments
 * are when they are put together.
 */
export interface SegmentIndex {
  /** What that text is: the value's compact JSON, or, of a value that is a text, that text itself. */
  readonly form: 'json' | 'text'
  /** UTF-16 units in all. */
  readonly length: number
  /** UTF-8 bytes of the value's JSON. */
  readonly jsonBytes: number
  /** UTF-16 units of each segment. */
  readonly segments: readonly number[]
  /** The value itself and what is larger than a segment within it, each after what it stands in. None: a scalar. */
  readonly containers: readonly Container[]
  /** The tables of the value, and what their rows are like. Absent: nobody has counted them. */
  readonly tables?: readonly CountedTable[]
  /** Lines of a text in the order in which they are worth showing, the first of them; none: from the beginning. */
  readonly lines?: readonly number[]
  /** Of a text that is several texts in one: what each of them is. */
  readonly blocks?: readonly DescribedBlock[]
  /** The text is JSON: the container that it is. The others are in it, and positions are those of the text. */
  readonly json?: number
  /** The segments are the one text that a tool's result is, and this stands around it. */
  readonly envelope?: Envelope
  /**
   * What of the value is shown, where it has a projection: a container of it, or one that stands behind it. Absent: nobody knows
   * without reading it whole.
   */
  readonly shown?: ShownContainer
  /** While the value grows: its id, and the text of the last segment, which is not stored by itself yet. */
  readonly growing?: { readonly id: string; readonly tail: string }
}

/**
 * A list, an object, or a text, and where its parts are: items, members, lines. A `string` is a text within JSON, with its
 * quotes and escapes; its parts are its characters, without escapes.
 */
export interface Container {
  readonly kind: 'list' | 'object' | 'text' | 'string'
  /** Where it stands in another one. Absent: it is the value. */
  readonly within?: Within
  /** From its opening bracket to behind the closing one. */
  readonly start: number
  readonly end: number
  /** How many parts it has. */
  readonly count: number
  /** Of a `string`, how many lines it has. Absent: nobody has counted them. */
  readonly lines?: number
  /** Where some of its parts begin, of a `string` some of its lines: the number of a part, from 0, and its position; ascending. */
  readonly anchors: ReadonlyArray<readonly [part: number, position: number]>
}

export interface Within {
  /** Its place in `SegmentIndex.containers`. */
  readonly container: number
  readonly part: number
  /** In an object. */
  readonly key?: string
  /** Where the part begins: with its key, in an object. */
  readonly position: number
}

/** Which container of a stored value is shown, and what its projection says besides. */
export interface ShownContainer extends ShownFacts {
  readonly container: number
}

/** The same containers, with others and other text before them. */
export function shifted(
  containers: readonly Container[],
  by: { readonly containers: number; readonly characters: number },
): Container[] {
  return containers.map(({ within, start, end, anchors, ...container }) => ({
    ...container,
    start: start + by.characters,
    end: end + by.characters,
    anchors: anchors.map(([part, position]) => [part, position + by.characters] as const),
    ...(within
      ? {
          within: {
            ...within,
            container: within.container + by.containers,
            position: within.position + by.characters,
          },
        }
      : {}),
  }))
}

/** The index of a value with what is shown of it in the segments behind it. */
export function behind(stored: SegmentIndex, shown: SegmentIndex, facts: ShownFacts): SegmentIndex {
  const before = { containers: stored.containers.length, characters: stored.length }
  return {
    ...stored,
    length: stored.length + shown.length,
    segments: [...stored.segments, ...shown.segments],
    containers: [...stored.containers, ...shifted(shown.containers, before)],
    shown: { container: before.containers, ...facts },
    ...(shown.json === undefined ? {} : { json: shown.json + before.containers }),
    ...(shown.tables ? { tables: shown.tables } : {}),
    ...(shown.lines ? { lines: shown.lines } : {}),
    ...(shown.blocks ? { blocks: shown.blocks } : {}),
  }
}

/** Where the stored value ends: what is shown of it may stand behind it. */
export function storedEnd({ length, shown, containers }: SegmentIndex): number {
  const container = containers[shown?.container ?? 0]
  return container && container.within === undefined && container.start > 0 && shown?.container !== 0
    ? container.start
    : length
}

/** The JSON that a text in the segments is. */
export function jsonIn({ json }: SegmentIndex, text: number): number | undefined {
  return json === text + 1 ? json : undefined
}

/** Whether somebody has looked at a text: what its lines are like, and whether it is JSON. */
export function isDescribed(index: SegmentIndex, text: number): boolean {
  const isShown = text === (index.shown?.container ?? 0)
  return jsonIn(index, text) !== undefined || (isShown && index.lines !== undefined)
}

/** As it is stored. */
export function stringifyIndex(index: SegmentIndex): string {
  return JSON.stringify(index)
}

/** @throws UnreadableValue */
export function parseIndex(json: string): SegmentIndex {
  try {
    const index = JSON.parse(json) as SegmentIndex
    const total = index.segments.reduce((sum, length) => sum + length, 0)
    if (total === index.length && Array.isArray(index.containers)) return index
  } catch {}
  throw new UnreadableValue('its index is damaged')
}

/** The position where each segment begins. */
export function segmentStarts({ segments }: SegmentIndex): number[] {
  let start = 0
  return segments.map(length => {
    start += length
    return start - length
  })
}
