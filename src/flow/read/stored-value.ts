import { decode, decodeToUtf8, type EncodedValue, parseStored } from '../../core/codec.ts'
import type { Entry, ValueSegments } from '../../core/entry.ts'
import { hasValue, isAppendedView, type ValuedEntry, valueSegments } from '../../core/entry-value.ts'
import { NotFound, UnreadableValue } from '../../core/errors.ts'
import type { JsonValue } from '../../core/json.ts'
import type { RefId } from '../../core/ref.ts'
import { paced, turn } from '../../core/steps.ts'
import type { Payload, Store } from '../../stores/store.ts'
import { earlierIndex, lastSegment } from '../../values/segments/earlier-index.ts'
import { SegmentReader } from '../../values/segments/reader.ts'
import { parseIndex } from '../../values/segments/segment-index.ts'

/** What stored values are read with. */
export interface StoredValueEngine {
  readonly store: Store
  readonly sources: {
    /** What this process has just stored, for those who wait for it. */
    takeStored(refId: RefId): Uint8Array | undefined
    reader(entry: ValuedEntry, open: () => Promise<SegmentReader>): Promise<SegmentReader>
  }
}

/**
 * The JSON text of an entry's value, whole.
 * @throws UnreadableValue; NotFound when the entry was deleted or expired a moment ago
 */
export async function readJson(engine: StoredValueEngine, entry: Entry): Promise<string> {
  const reader = await openSegments(engine, entry)
  if (reader) return paced(reader.json())
  const kept = engine.sources.takeStored(entry.refId)
  const json = await decode(kept ?? (await readPayload(engine, entry, 'value')))
  // A shorter number is a number, too.
  const whole = entry.status !== 'complete' || Buffer.byteLength(json) === entry.valueBytes
  if (!whole) throw incomplete()
  return json
}

/** An entry's value, whole. @throws as `readJson` */
export async function readWhole(engine: StoredValueEngine, entry: Entry): Promise<JsonValue> {
  const reader = await openSegments(engine, entry)
  return reader ? paced(reader.value()) : parseStored(await readJson(engine, entry))
}

/** The same with its JSON text. @throws as `readJson` */
export async function readBoth(
  engine: StoredValueEngine,
  entry: Entry,
): Promise<{ readonly value: JsonValue; readonly json: string }> {
  const reader = await openSegments(engine, entry)
  if (reader) return { value: await paced(reader.value()), json: await paced(reader.json()) }
  const json = await readJson(engine, entry)
  return { value: parseStored(json), json }
}

/** A value as it is stored, for another entry. @throws as `readJson` */
export async function readEncoded(
  engine: StoredValueEngine,
  entry: Entry & { valueBytes: number },
): Promise<EncodedValue> {
  const { valueBytes } = entry
  const named = valueSegments(entry)
  if (!named) return { valueBytes, bytes: await readPayload(engine, entry, 'value') }
  const bytes = await readPayload(engine, entry, 'index')
  const segments: Uint8Array[] = []
  while (segments.length < named.count) {
    segments.push(await readSegment(engine, entry, named, segments.length))
    await turn()
  }
  return { valueBytes, bytes, segments }
}

/**
 * A reader for a value in segments: it reads the index, and of the segments what it is asked for. It is kept for the next who asks.
 * Undefined: the value is in one piece.
 */
export async function openSegments(
  engine: StoredValueEngine,
  entry: Entry,
): Promise<SegmentReader | undefined> {
  const named = valueSegments(entry)
  if (!named || !hasValue(entry)) return undefined
  return engine.sources.reader(entry, () => readIndex(engine, entry, named))
}

async function readIndex(
  engine: StoredValueEngine,
  entry: Entry,
  named: ValueSegments,
): Promise<SegmentReader> {
  const latest = parseIndex(await decode(await readPayload(engine, entry, 'index')))
  const { growing } = latest
  // It may have grown since the entry was read, but another attempt has another value.
  if (growing ? growing.id !== named.id : latest.segments.length < named.count) throw incomplete()
  const loadLatest = async (position: number) => {
    if (growing && position === latest.segments.length - 1) return growing.tail
    const text = await decode(await readSegment(engine, entry, named, position))
    if (text.length !== latest.segments[position]) throw incomplete()
    return text
  }
  const { length = latest.length, available, valueBytes } = (isAppendedView(entry) && entry.appended) || {}
  if (length === latest.length || available === undefined || valueBytes === undefined) {
    if (growing) return new SegmentReader(latest, loadLatest)
    const loadUtf8 = async (position: number) =>
      decodeToUtf8(await readSegment(engine, entry, named, position))
    return new SegmentReader(latest, loadLatest, loadUtf8)
  }
  if (length > latest.length) throw incomplete()
  const index = earlierIndex(latest, { length, available, valueBytes })
  return new SegmentReader(index, async position => {
    const text = await loadLatest(position)
    return position === index.segments.length - 1 ? lastSegment(index, text) : text
  })
}

async function readSegment(engine: StoredValueEngine, entry: Entry, { id }: ValueSegments, position: number) {
  const bytes = await engine.store.readSegment({ refId: entry.refId, valueId: id, position })
  return bytes ?? gone(engine, entry)
}

async function readPayload(engine: StoredValueEngine, entry: Entry, payload: Payload): Promise<Uint8Array> {
  return (await engine.store.read(entry.refId, payload)) ?? gone(engine, entry)
}

async function gone(engine: StoredValueEngine, entry: Entry): Promise<never> {
  throw (await engine.store.get(entry.refId)) ? new UnreadableValue('it is gone') : new NotFound()
}

function incomplete(): UnreadableValue {
  return new UnreadableValue('a part of it is gone')
}
