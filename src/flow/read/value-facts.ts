import { type Actor, type ActorLike, toActor } from '../../access/actor.ts'
import { Permission } from '../../access/permission.ts'
import { hasValue, type ValuedEntry } from '../../core/entry-value.ts'
import { isJsonObject, type JsonValue } from '../../core/json.ts'
import { countLines } from '../../core/lines.ts'
import type { RefId } from '../../core/ref.ts'
import { contentOf } from '../../preview/memory-content.ts'
import { SegmentContent } from '../../preview/segment-content.ts'
import type { CountedTable } from '../../values/counted-tables.ts'
import type { SegmentReader } from '../../values/segments/reader.ts'
import { type Container, jsonIn } from '../../values/segments/segment-index.ts'
import type { Engine } from '../engine.ts'
import { appendedOf } from './appended.ts'
import { findFor } from './find.ts'
import { shownContainer } from './part.ts'
import { PRIVATE } from './reply.ts'
import { openSegments } from './stored-value.ts'
import { sourcesOf } from './values.ts'

/** What a value is, without the value. */
export interface ValueKind {
  readonly kind: 'list' | 'object' | 'text' | 'number' | 'boolean' | 'null'
  /** Items, members or lines. */
  readonly count?: number
  /** All items of a list are records, as far as they were looked at. */
  readonly isTable?: boolean
  /** About what all of it costs. */
  readonly tokens: number
}

/** An ordinary token has so many characters. */
const CHARACTERS_PER_TOKEN = 4

/**
 * What a value is like: of a large one by its index alone, which was made when it was written.
 * @throws NotFound, PermissionDenied
 */
export async function valueKind(
  engine: Engine,
  refId: RefId,
  like: ActorLike,
): Promise<ValueKind | undefined> {
  const entry = await findValue(engine, refId, toActor(like), 'denials-only')
  if (!entry) return undefined
  const reader = await openSegments(engine, entry)
  const container = reader && shownContainer(entry, reader)
  if (reader && container !== undefined) return kindInSegments(reader, container)
  const { shown } = await sourcesOf(engine, entry)
  const { whole } = await contentOf(shown)
  return { ...kindOf(whole?.value ?? shown.value), tokens: tokensIn(shown.json.length) }
}

/**
 * The tables of a value, and what their columns are like: as they were found out when it was written, where it is large. Columns
 * show values, the frequent and the extreme ones: so to look at them is to look at the value, in the audit too.
 * @throws NotFound, PermissionDenied
 */
export async function valueTables(
  engine: Engine,
  refId: RefId,
  like: ActorLike,
): Promise<readonly CountedTable[]> {
  const entry = await findValue(engine, refId, toActor(like))
  if (!entry) return []
  const reader = await openSegments(engine, entry)
  const container = reader && shownContainer(entry, reader)
  if (reader && container !== undefined) return new SegmentContent(reader, container).tables()
  const { shown } = await sourcesOf(engine, entry)
  return (await contentOf(shown)).tables()
}

/** The value of an entry, or what its task has appended so far. */
async function findValue(
  engine: Engine,
  refId: RefId,
  who: Actor,
  audit?: 'denials-only',
): Promise<ValuedEntry | undefined> {
  const want = { action: 'get', permission: Permission.READ, denial: PRIVATE } as const
  const entry = await findFor(engine, refId, who, { ...want, ...(audit ? { audit } : {}) })
  if (entry.status === 'complete') return entry
  const appended = await appendedOf(engine, entry)
  if (appended) return appended
  return hasValue(entry) && engine.access.canReadMessages(entry, who) ? entry : undefined
}

function kindInSegments({ index }: SegmentReader, root: number): ValueKind {
  const container = index.containers[jsonIn(index, root) ?? root] as Container
  const { kind, count, lines, start, end } = container
  const tokens = tokensIn(end - start)
  if (kind === 'text' || kind === 'string') return { kind: 'text', count: lines ?? count, tokens }
  const table = index.tables?.find(({ path }) => path === '')
  return { kind, count, ...(kind === 'list' && table ? { isTable: isTable(table) } : {}), tokens }
}

/** Rows that are no records have one column, `value`. */
function isTable({ shape: { columns } }: CountedTable): boolean {
  return columns.length > 1 || columns[0]?.name !== 'value'
}

function kindOf(value: JsonValue): Omit<ValueKind, 'tokens'> {
  if (Array.isArray(value)) return { kind: 'list', count: value.length, isTable: areRecords(value) }
  if (isJsonObject(value)) return { kind: 'object', count: Object.keys(value).length }
  if (typeof value === 'string') return { kind: 'text', count: countLines(value) }
  if (typeof value === 'boolean') return { kind: 'boolean' }
  return { kind: value === null ? 'null' : 'number' }
}

function areRecords(list: readonly JsonValue[]): boolean {
  return list.length > 0 && list.slice(0, 100).every(isJsonObject)
}

function tokensIn(characters: number): number {
  return Math.ceil(characters / CHARACTERS_PER_TOKEN)
}
