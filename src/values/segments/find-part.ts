import type { JsonObject, JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/json-text.ts'
import { linesOf } from '../../core/lines.ts'
import type { Part } from '../../core/part.ts'
import type { ReadingSteps } from '../../core/steps.ts'
import { descend } from '../pointer.ts'
import { jsonContainers, readerOfText } from './json-in-text.ts'
import type { SegmentReader } from './reader.ts'
import { type Container, jsonIn, type ShownContainer } from './segment-index.ts'

/** A part of a value in segments: one of its containers, or something smaller. */
export type FoundPart = { readonly container: number } | { readonly value: JsonValue }

/** Reads no more than it needs. Undefined: it is not there, or only all of the value tells. */
export function* findPart(
  reader: SegmentReader,
  root: number,
  part: Part,
): ReadingSteps<FoundPart | undefined> {
  const isText = reader.index.containers[root]?.kind === 'text'
  if (part.kind === 'lines') return isText ? yield* findLines(reader, root, part) : undefined
  const from = isText && part.steps.length > 0 ? jsonIn(reader.index, root) : root
  return from === undefined
    ? yield* findBlock(reader, root, part.steps)
    : yield* findPointed(reader, from, part.steps)
}

/** `/content/N`: one of the texts that are put together here, or a part of the JSON that it is. */
function* findBlock(
  reader: SegmentReader,
  root: number,
  [first, position, ...rest]: readonly string[],
): ReadingSteps<FoundPart | undefined> {
  const { shown, containers } = reader.index
  const block = first === 'content' ? blockAt(shown, root, position) : undefined
  if (!block) return undefined
  const { start } = containers[root] as Container
  const text = yield* reader.slice(start + block.start, start + block.end)
  if (rest.length === 0) return { value: text }
  const json = yield* jsonContainers(text)
  if (!json) return undefined
  const inBlock = readerOfText(text, json)
  const found = yield* findPointed(inBlock, 0, rest)
  return found && 'container' in found ? { value: yield* inBlock.valueOf(found.container) } : found
}

function blockAt(shown: ShownContainer | undefined, root: number, position: string | undefined) {
  return shown?.container === root
    ? shown.blocks?.find(({ content }) => String(content) === position)
    : undefined
}

function* findLines(
  reader: SegmentReader,
  root: number,
  { first, last }: Part & { kind: 'lines' },
): ReadingSteps<FoundPart | undefined> {
  if (last > (reader.index.containers[root]?.count ?? 0)) return undefined
  const text = yield* reader.parts(root, first - 1, last - first + 1)
  return { value: linesOf(text, 1, last - first + 1) }
}

function* findPointed(
  reader: SegmentReader,
  root: number,
  steps: readonly string[],
): ReadingSteps<FoundPart | undefined> {
  let container = root
  for (const [depth, step] of steps.entries()) {
    const { kind } = reader.index.containers[container] as Container
    const part = kind === 'list' ? itemAt(reader, container, step) : undefined
    const child = reader.childrenOf(container).find(number => {
      const { within } = reader.index.containers[number] as Container
      return kind === 'list' ? within?.part === part : within?.key === step
    })
    if (child !== undefined) {
      container = child
      continue
    }
    const value =
      kind === 'object' ? yield* memberOf(reader, container, step) : yield* itemOf(reader, container, part)
    if (value === undefined) return undefined
    const { value: found, depth: reached } = descend(value, steps.slice(depth + 1))
    return reached === steps.length - depth - 1 ? { value: found } : undefined
  }
  return { container }
}

function itemAt(reader: SegmentReader, list: number, step: string): number | undefined {
  const { count } = reader.index.containers[list] as Container
  return /^(0|[1-9]\d{0,15})$/.test(step) && Number(step) < count ? Number(step) : undefined
}

function* itemOf(reader: SegmentReader, list: number, part: number | undefined) {
  if (part === undefined) return undefined
  const [item] = parseJson(`[${yield* reader.parts(list, part, 1)}]`) as JsonValue[]
  return item
}

/** Looks through the members that are no containers. */
function* memberOf(reader: SegmentReader, object: number, key: string): ReadingSteps<JsonValue | undefined> {
  for (let number = 0; number < reader.runCount(object); number++) {
    const run = yield* reader.run(object, number)
    if ('child' in run) continue
    const members = (yield* reader.partsOf(object, run)) as JsonObject
    if (Object.hasOwn(members, key)) return members[key]
  }
  return undefined
}
