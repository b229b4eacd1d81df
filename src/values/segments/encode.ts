import { type EncodedValue, encode, type ValueEncoding } from '../../core/codec.ts'
import { stringifyIndex } from './segment-index.ts'
import { ValueWriter } from './writer.ts'

/** Where encoded segments go, in their order. */
export type EncodedSink = (segment: Uint8Array, position: number) => Promise<void> | void

/**
 * A handler's result as bytes for the store, made in steps that give way to others.
 * @throws ValueTooLarge, NotSerializable, CircularReference
 */
export async function encodeValue(
  value: unknown,
  encoding: ValueEncoding,
  tool: { readonly verbatim?: boolean; readonly projection?: string | undefined } = {},
): Promise<EncodedValue> {
  const segments: Uint8Array[] = []
  const writer = new ValueWriter(value, { ...tool, maxBytes: encoding.maxBytes })
  const encoded = await encodeWritten(writer, encoding, segment => void segments.push(segment))
  return segments.length > 0 ? { ...encoded, segments } : encoded
}

/** The same for a writer, whose segments go where they are wanted one after the other. */
export async function encodeWritten(
  writer: ValueWriter,
  { compress }: ValueEncoding,
  sink: EncodedSink,
): Promise<EncodedValue> {
  const written = await writer.write(async (segment, position) =>
    sink(await encode(segment, { compress }), position),
  )
  const text = 'index' in written ? stringifyIndex(written.index) : written.json
  return { bytes: await encode(text, { compress }), valueBytes: written.jsonBytes }
}
