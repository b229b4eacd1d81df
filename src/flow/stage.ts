import type { ValueSegments } from '../core/entry.ts'
import { createValueId, type RefId } from '../core/ref.ts'
import type { PayloadChanges } from '../stores/store.ts'
import { encodeWritten } from '../values/segments/encode.ts'
import type { ValueWriter } from '../values/segments/writer.ts'
import type { Engine } from './engine.ts'

/** What an entry says of its value, and the parts that are written with it. */
export interface StoredValue {
  readonly fields: { readonly valueBytes: number; readonly segments?: ValueSegments }
  readonly parts: PayloadChanges
}

/**
 * Writes a value straight into the store, for an entry that is not there yet: no more than a segment of it is held at a time.
 * Where that fails, what was staged gives its room back.
 */
export async function stageValue(engine: Engine, refId: RefId, writer: ValueWriter): Promise<StoredValue> {
  const valueId = createValueId(engine.random)
  let count = 0
  const stage = async (segment: Uint8Array, position: number) => {
    await engine.store.stage({ refId, valueId, position }, segment, engine.clock.now())
    count = position + 1
  }
  try {
    const { bytes, valueBytes } = await encodeWritten(writer, engine.encoding, stage, engine.encodeElsewhere)
    if (count === 0) return { fields: { valueBytes }, parts: { value: bytes } }
    return { fields: { valueBytes, segments: { id: valueId, count } }, parts: { index: bytes } }
  } catch (error) {
    if (count > 0) await engine.store.delete(refId).catch(() => {})
    throw error
  }
}
