import type { ValuedEntry } from '../../core/entry-value.ts'
import type { JsonValue } from '../../core/json.ts'
import type { Part } from '../../core/part.ts'
import { paced } from '../../core/steps.ts'
import { takePart } from '../../values/pointer.ts'
import type { Used } from '../../values/projection.ts'
import { fillEnvelope } from '../../values/segments/envelope.ts'
import { findPart } from '../../values/segments/find-part.ts'
import type { SegmentReader } from '../../values/segments/reader.ts'
import { isDescribed, jsonIn } from '../../values/segments/segment-index.ts'
import type { Engine } from '../engine.ts'
import { openSegments, readWhole } from './stored-value.ts'
import { usedOf } from './values.ts'

/** A part of a value: a container of its segments, of which nothing is read yet, or the part itself. */
export type LocatedPart =
  | { readonly reader: SegmentReader; readonly container: number }
  | { readonly value: JsonValue }

export interface PartOptions {
  /** Whether the caller may see the value: else an error tells nothing of it. @defaultValue true */
  readonly sees?: boolean
  /** Gives the whole value, where only that tells. @defaultValue reads it */
  readonly whole?: () => Promise<Used>
}

/**
 * Looks for a part of an entry's value, and reads no more of that than it needs.
 * @throws InvalidArgument where there is no such part
 */
export async function locatePart(
  engine: Engine,
  entry: ValuedEntry,
  part: Part,
  { sees = true, whole = () => readUsed(engine, entry) }: PartOptions = {},
): Promise<LocatedPart> {
  const reader = await openSegments(engine, entry)
  const root = reader && shownContainer(entry, reader)
  if (reader && root !== undefined) {
    const found = await paced(findPart(reader, root, part))
    if (found) return 'value' in found ? found : { reader, container: found.container }
    const outline = outlineOf(reader, root)
    // The text itself is not read to say that nothing is there.
    if (outline !== undefined) takePart(await usedOf(engine, entry, outline), part, sees)
  }
  return { value: takePart(await whole(), part, sees) }
}

/** Reads a part of an entry's value. @throws InvalidArgument where there is no such part */
export async function readPart(
  engine: Engine,
  entry: ValuedEntry,
  part: Part,
  options?: PartOptions,
): Promise<JsonValue> {
  return readLocated(await locatePart(engine, entry, part, options))
}

export async function readLocated(found: LocatedPart): Promise<JsonValue> {
  return 'value' in found ? found.value : paced(found.reader.valueOf(found.container))
}

/**
 * The container of what is shown of a value in segments. Undefined: there is none, or what is shown has to be put together from the
 * whole value.
 */
export function shownContainer({ view }: ValuedEntry, { index }: SegmentReader): number | undefined {
  const container = view === undefined ? 0 : index.shown?.container
  return container === undefined || index.containers[container] === undefined ? undefined : container
}

/** A value that lacks the same parts: with as many short lines in the place of its one text, which is no JSON. Undefined: nobody knows that. */
function outlineOf({ index }: SegmentReader, root: number): JsonValue | undefined {
  const isPlainText = index.form === 'text' && isDescribed(index, root) && jsonIn(index, root) === undefined
  if (!isPlainText) return undefined
  const text = '.\n'.repeat(index.containers[root]?.count ?? 1)
  return index.envelope ? fillEnvelope(index.envelope, text) : text
}

async function readUsed(engine: Engine, entry: ValuedEntry): Promise<Used> {
  return usedOf(engine, entry, await readWhole(engine, entry))
}
