import { type ActorLike, toActor } from '../../access/actor.ts'
import { Permission } from '../../access/permission.ts'
import type { ValuedEntry } from '../../core/entry-value.ts'
import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { type Part, toReference } from '../../core/part.ts'
import type { RefId } from '../../core/ref.ts'
import type { CacheResponse } from '../../core/response.ts'
import { type ExportFormat, formatted } from '../../values/export/formats.ts'
import { isMedia, type Media, mediaOf } from '../../values/media.ts'
import { wholeDocument } from '../../values/segments/whole-document.ts'
import type { ValueDocument } from '../../values/value-document.ts'
import type { Engine } from '../engine.ts'
import { madeOfFields, soFarOf } from '../read/appended.ts'
import { locatePart, readLocated } from '../read/part.ts'
import { findReadableOrPartial } from '../read/readable.ts'
import { openSegments, readWhole } from '../read/stored-value.ts'
import { documentOf, openDocument } from '../read/value-document.ts'
import { usedOf } from '../read/values.ts'

export interface ExportRequest {
  readonly format: ExportFormat
  readonly actor?: ActorLike | undefined
  readonly signal?: AbortSignal | undefined
}

/** What an export writes, and whether that is all: as in answers about the value. */
export interface Export extends Pick<CacheResponse, 'available' | 'isGrowing' | 'partial'> {
  readonly content: AsyncIterable<string | Uint8Array>
  readonly rows?: () => number
  readonly mimeType: string
  /** What the file is called where nobody says. */
  readonly label: string
  readonly extension: string
}

const EXTENSIONS = { json: 'json', jsonl: 'jsonl', csv: 'csv', text: 'txt', original: 'txt' } as const

/**
 * A value, or a part of one, as the content of a file; of a task that has not come to its end what there is so far.
 * @throws NotFound, PermissionDenied, InvalidArgument, TaskFailed, TaskCancelled, TaskNotReady
 */
export async function openExport(
  engine: Engine,
  asked: RefId,
  { format, actor, signal }: ExportRequest,
): Promise<Export> {
  const { refId, part } = toReference(engine.name, asked) ?? { refId: asked }
  const want = { action: 'export', permission: Permission.READ, verb: 'export' } as const
  const entry = await findReadableOrPartial(engine, refId, toActor(actor), { ...want, growing: true })
  const about = {
    label: entry.label ?? (entry.toolName === undefined ? 'value' : engine.toolLabel(entry.toolName)),
    extension: EXTENSIONS[format],
    ...madeOfFields(soFarOf(entry)),
  }
  if (format !== 'original') {
    return { ...about, ...(await formatted(await openDocument(engine, entry, part), format, { signal })) }
  }
  const original = await (part ? originalPart(engine, entry, part) : originalOf(engine, entry))
  if ('base64' in original) return { ...about, ...blob(original) }
  return { ...about, content: original.text({ signal }), mimeType: 'text/plain' }
}

/** The value as the tool gave it: its text, or the bytes of its only block. */
async function originalOf(engine: Engine, entry: ValuedEntry): Promise<ValueDocument | Media> {
  const reader = await openSegments(engine, entry)
  const isStoredAsGiven =
    entry.view === undefined || reader?.index.form === 'text' || reader?.index.shown?.container === 0
  if (isStoredAsGiven) return openDocument(engine, entry)
  const { value, text, result } = await usedOf(engine, entry, await readWhole(engine, entry))
  const [block, ...more] = result?.content ?? []
  const media = more.length === 0 ? mediaIn(block) : undefined
  return media ?? wholeDocument(text ?? value)
}

/** A block of media has no more members. */
const MOST_MEMBERS = 10

async function originalPart(engine: Engine, entry: ValuedEntry, part: Part): Promise<ValueDocument | Media> {
  const found = await locatePart(engine, entry, part)
  const container = 'value' in found ? undefined : found.reader.index.containers[found.container]
  const mayBeMedia = container?.kind === 'object' && container.count <= MOST_MEMBERS
  const media = !container || mayBeMedia ? mediaIn(await readLocated(found)) : undefined
  return media ?? documentOf(found)
}

function mediaIn(block: JsonValue | undefined): Media | undefined {
  return block !== undefined && isJsonObject(block) && isMedia(block) ? mediaOf(block) : undefined
}

function blob({ base64, mimeType = 'application/octet-stream' }: Media) {
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
