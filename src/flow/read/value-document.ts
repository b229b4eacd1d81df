import type { ValuedEntry } from '../../core/entry.ts'
import { paced } from '../../core/steps.ts'
import { segmentDocument, textDocument } from '../../values/segments/segment-document.ts'
import { type ValueDocument, wholeDocument } from '../../values/value-document.ts'
import type { Engine } from '../engine.ts'
import { openSegments, readWhole } from './stored-value.ts'
import { shownOf } from './values.ts'

/** The value of an entry as it is shown, to be read piece by piece. Whoever calls this has authorized its reader. */
export async function openDocument(engine: Engine, entry: ValuedEntry): Promise<ValueDocument> {
  const reader = await openSegments(engine, entry)
  const container = entry.view === undefined ? 0 : reader?.index.shown?.container
  const kind = container === undefined ? undefined : reader?.index.containers[container]?.kind
  if (reader && (kind === 'list' || kind === 'object')) return segmentDocument(reader, container)
  if (reader && kind === 'text') return textDocument(reader)
  const stored = reader ? await paced(reader.value()) : await readWhole(engine, entry)
  return wholeDocument(shownOf(engine, entry, stored)?.value ?? stored)
}
