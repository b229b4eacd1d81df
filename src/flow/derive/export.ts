import { type ActorLike, toActor } from '../../access/actor.ts'
import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { toReference } from '../../core/part.ts'
import type { RefId } from '../../core/ref.ts'
import { type ExportFormat, formatted } from '../../values/export/formats.ts'
import { isMedia, mediaOf } from '../../values/media.ts'
import { takePart } from '../../values/pointer.ts'
import { wholeDocument } from '../../values/value-document.ts'
import type { Engine } from '../engine.ts'
import { readWhole } from '../read/stored-value.ts'
import { openDocument } from '../read/value-document.ts'
import { usedOf } from '../read/values.ts'
import { findValue } from './find-value.ts'

export interface ExportRequest {
  readonly format: ExportFormat
  readonly actor?: ActorLike | undefined
  readonly signal?: AbortSignal | undefined
}

/** What an export writes. */
export interface Export {
  readonly content: AsyncIterable<string | Uint8Array>
  readonly rows?: () => number
  readonly mimeType: string
  /** What the file is called where nobody says. */
  readonly label: string
  readonly extension: string
}

const EXTENSIONS = { json: 'json', jsonl: 'jsonl', csv: 'csv', text: 'txt', original: 'txt' } as const

/**
 * A value, or a part of one, as the content of a file.
 * @throws NotFound, PermissionDenied, InvalidArgument, TaskFailed, TaskCancelled, TaskNotReady
 */
export async function openExport(
  engine: Engine,
  asked: RefId,
  { format, actor, signal }: ExportRequest,
): Promise<Export> {
  const who = toActor(actor)
  const { refId, part } = toReference(engine.name, asked) ?? { refId: asked }
  const entry = await findValue(engine, refId, who, 'export')
  const label = entry.label ?? entry.toolName ?? 'value'
  const used =
    part || format === 'original' ? usedOf(engine, entry, await readWhole(engine, entry)) : undefined
  const value = used && part ? takePart(used, part) : undefined
  if (format === 'original') {
    const blob = blobIn(value ?? used?.result?.content)
    if (blob) return { ...blob, label }
  }
  const document = value === undefined ? await openDocument(engine, entry) : wholeDocument(value)
  if (format === 'original') {
    const text = value === undefined ? used?.text : undefined
    const content = text === undefined ? document.text({ signal }) : wholeDocument(text).text({ signal })
    return { content, mimeType: 'text/plain', label, extension: EXTENSIONS.original }
  }
  return { ...(await formatted(document, format, { signal })), label, extension: EXTENSIONS[format] }
}

/** The bytes of a block, or of the only block of a result. */
function blobIn(of: JsonValue | readonly JsonValue[] | undefined) {
  const [block, ...more] = Array.isArray(of) ? (of as readonly JsonValue[]) : [of as JsonValue | undefined]
  if (block === undefined || more.length > 0 || !isJsonObject(block) || !isMedia(block)) return undefined
  const { base64, mimeType = 'application/octet-stream' } = mediaOf(block)
  const extension = /^[a-z]+\/([a-z0-9]{1,8})$/.exec(mimeType)?.[1] ?? 'bin'
  return { content: bytesOf(base64), mimeType, extension }
}

const BASE64_AT_ONCE = 1024 * 1024

async function* bytesOf(base64: string): AsyncIterable<Uint8Array> {
  const digits = base64.replace(/\s+/g, '')
  for (let start = 0; start < digits.length; start += BASE64_AT_ONCE) {
    yield Buffer.from(digits.slice(start, start + BASE64_AT_ONCE), 'base64')
  }
}
