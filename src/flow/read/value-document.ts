import type { ValuedEntry } from '../../core/entry-value.ts'
import type { Part } from '../../core/part.ts'
import { documentOfTexts } from '../../values/segments/joined-texts.ts'
import { segmentDocument } from '../../values/segments/segment-document.ts'
import { isDescribed } from '../../values/segments/segment-index.ts'
import { wholeDocument } from '../../values/segments/whole-document.ts'
import type { ValueDocument } from '../../values/value-document.ts'
import type { Engine } from '../engine.ts'
import { type LocatedPart, locatePart, readLocated, shownContainer } from './part.ts'
import { openSegments, readWhole } from './stored-value.ts'
import { shownOf } from './values.ts'

/**
 * The value of an entry as it is shown, or a part of it, to be read piece by piece. Whoever calls this has authorized its reader.
 * @throws InvalidArgument where there is no such part
 */
export async function openDocument(
  engine: Engine,
  entry: ValuedEntry,
  part?: Part | undefined,
): Promise<ValueDocument> {
  if (part) return documentOf(await locatePart(engine, entry, part))
  const reader = await openSegments(engine, entry)
  const container = reader && shownContainer(entry, reader)
  if (reader && container !== undefined) {
    return documentOfTexts(await documentOf({ reader, container }), reader.index.shown?.blocks)
  }
  const stored = await readWhole(engine, entry)
  const { value, blocks } = (await shownOf(engine, entry, stored)) ?? { value: stored }
  return documentOfTexts(await wholeDocument(value), blocks)
}

export async function documentOf(found: LocatedPart): Promise<ValueDocument> {
  if ('value' in found) return wholeDocument(found.value)
  const { reader, container } = found
  const { kind } = reader.index.containers[container] ?? {}
  // What nobody has found out of a text when it was written is found out from all of it.
  const isUnknown = kind === 'text' && !isDescribed(reader.index, container)
  return kind === 'string' || isUnknown
    ? wholeDocument(await readLocated(found))
    : segmentDocument(reader, container)
}
