import type { ValuedEntry } from '../../core/entry.ts'
import { paced } from '../../core/steps.ts'
import { segmentDocument } from '../../values/segments/segment-document.ts'
import { type ValueDocument, wholeDocument } from '../../values/value-document.ts'
import type { Engine } from '../engine.ts'
import { openSegments, readWhole } from './stored-value.ts'
import { shownOf } from './values.ts'

/** The value of an entry as it is shown, to be read piece by piece. Whoever calls this has authorized its reader. */
export async function openDocument(engine: Engine, entry: ValuedEntry): Promise<ValueDocument> {
  const reader = entry.view === undefined ? await openSegments(engine, entry) : undefined
  const kind = reader?.index.containers[0]?.kind
  if (reader && (kind === 'list' || kind === 'object')) return segmentDocument(reader)
  const stored = reader ? await paced(reader.value()) : await readWhole(engine, entry)
  return wholeDocument(shownOf(engine, entry, stored)?.value ?? stored)
}
