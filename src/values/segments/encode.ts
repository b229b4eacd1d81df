import { type EncodedValue, encode, type ValueEncoding } from '../../core/codec.ts'
import { turn } from '../../core/steps.ts'
import { stringifyIndex } from './segment-index.ts'
import { type LargeSource, ValueWriter } from './writer.ts'

/** Where encoded segments go, in their order. */
export type EncodedSink = (segment: Uint8Array, position: number) => Promise<void> | void

/** Encodes a large value in another thread. Undefined: it cannot now, and nothing is lost by that. */
export type EncodeElsewhere = (
  source: LargeSource,
  encoding: ValueEncoding,
) => Promise<EncodedValue | undefined>

/**
 * A handler's result as bytes for the store, made in steps that give way to others.
 * @throws ValueTooLarge, NotSerializable, CircularReference
 */
export async function encodeValue(
  value: unknown,
  encoding: ValueEncoding,
  tool: { readonly verbatim?: boolean; readonly projection?: string | undefined } = {},
  elsewhere?: EncodeElsewhere,
): Promise<EncodedValue> {
  const writer = new ValueWriter(value, { ...tool, maxBytes: encoding.maxBytes })
  return collected(writer, encoding, elsewhere)
}

/** What `EncodeElsewhere` does, where it runs. @param text all pieces of the source */
export async function encodeSource(
  text: string,
  { is, ...tool }: Omit<LargeSource, 'pieces'>,
  encoding: ValueEncoding,
): Promise<EncodedValue> {
  return collected(ValueWriter.ofSource(text, is, { ...tool, maxBytes: encoding.maxBytes }), encoding)
}

async function collected(
  writer: ValueWriter,
  encoding: ValueEncoding,
  elsewhere?: EncodeElsewhere,
): Promise<EncodedValue> {
  const segments: Uint8Array[] = []
  const encoded = await encodeWritten(writer, encoding, segment => void segments.push(segment), elsewhere)
  return segments.length > 0 ? { ...encoded, segments } : encoded
}

/** The same for a writer, whose segments go where they are wanted one after the other. */
export async function encodeWritten(
  writer: ValueWriter,
  encoding: ValueEncoding,
  sink: EncodedSink,
  elsewhere?: EncodeElsewhere,
): Promise<Omit<EncodedValue, 'segments'>> {
  const source = elsewhere && writer.largeSource()
  if (!source) return encodeHere(writer, encoding, sink)
  const encoded = await elsewhere(source, encoding)
  if (!encoded) return encodeHere(writer.anew(), encoding, sink)
  const { segments = [], ...rest } = encoded
  for (const [position, segment] of segments.entries()) {
    await sink(segment, position)
    await turn()
  }
  return rest
}

async function encodeHere(
  writer: ValueWriter,
  { compress }: ValueEncoding,
  sink: EncodedSink,
): Promise<Omit<EncodedValue, 'segments'>> {
  const written = await writer.write(async (segment, position) =>
    sink(await encode(segment, { compress }), position),
  )
  const text = 'index' in written ? stringifyIndex(written.index) : written.json
  return { bytes: await encode(text, { compress }), valueBytes: written.jsonBytes }
}
