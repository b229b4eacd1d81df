import type { JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { paced, turn } from '../../core/steps.ts'
import type { ValueDocument } from '../value-document.ts'
import { jsonContainers } from './json-in-text.ts'
import { JsonSegmenter } from './json-segmenter.ts'
import { LineSegmenter } from './line-segmenter.ts'
import { SegmentReader } from './reader.ts'
import { segmentDocument } from './segment-document.ts'
import { type Container, SEGMENT_LENGTH, shifted } from './segment-index.ts'

/** A value that is in memory. */
export async function wholeDocument(value: JsonValue): Promise<ValueDocument> {
  if (typeof value === 'string') return segmentDocument(readerOf([value], await textContainers(value)))
  return segmentDocument(readJsonText([stringifyJson(value)]))
}

/** A reader of JSON text that is in memory, in pieces, which are let go. */
export function readJsonText(pieces: string[]): SegmentReader {
  const segmenter = new JsonSegmenter(SEGMENT_LENGTH)
  const segments: string[] = []
  for (let at = 0; at < pieces.length; at++) {
    segments.push(...segmenter.push(pieces[at] as string))
    pieces[at] = ''
  }
  segments.push(...segmenter.end())
  return readerOf(segments, segmenter.containers)
}

function readerOf(segments: readonly string[], containers: readonly Container[]): SegmentReader {
  const lengths = segments.map(segment => segment.length)
  const length = lengths.reduce((sum, one) => sum + one, 0)
  const json = containers[0]?.kind === 'text' && containers.length > 1 ? { json: 1 } : {}
  const index = { form: 'json', length, jsonBytes: length, segments: lengths, containers, ...json } as const
  return new SegmentReader(index, async at => segments[at] as string)
}

/** UTF-16 units of a text that are looked through in one go. */
const AT_ONCE = 1024 * 1024

async function textContainers(text: string): Promise<Container[]> {
  const lines = new LineSegmenter(SEGMENT_LENGTH)
  for (let at = 0; at < text.length; at += AT_ONCE) {
    if (at > 0) await turn()
    lines.push(text.slice(at, at + AT_ONCE))
  }
  lines.end()
  const json = await paced(jsonContainers(text))
  return [...lines.containers, ...shifted(json ?? [], { containers: 1, characters: 0 })]
}
