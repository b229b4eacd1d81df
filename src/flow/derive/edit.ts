import { type Actor, type ActorLike, toActor } from '../../access/actor.ts'
import { Permission } from '../../access/permission.ts'
import { parseStored } from '../../core/codec.ts'
import type { CompleteEntry } from '../../core/entry.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { checkNames, type Names } from '../../core/options.ts'
import { toReference } from '../../core/part.ts'
import type { RefId } from '../../core/ref.ts'
import { paced } from '../../core/steps.ts'
import { measureText, type Size } from '../../preview/preview.ts'
import { type CallResult, isCallResult } from '../../values/call-result.ts'
import type { Change } from '../../values/edit/change.ts'
import { editValue } from '../../values/edit/edit-value.ts'
import { type EditableResult, editablesOf, editableValue } from '../../values/edit/editables.ts'
import { checkEdits, type Edit } from '../../values/edit/edits.ts'
import type { StoredText } from '../../values/edit/put.ts'
import { readJsonText } from '../../values/segments/whole-document.ts'
import { ValueWriter } from '../../values/segments/writer.ts'
import { type CacheReference, referenceTo } from '../call/set.ts'
import type { Engine } from '../engine.ts'
import { findReadable } from '../read/readable.ts'
import { openSegments, readJson, readWhole } from '../read/stored-value.ts'
import { usedOf, wrappingOf } from '../read/values.ts'
import { storeDerived } from './derived-entry.ts'
import { type FilledEdits, fillEdits } from './edit-references.ts'

/** Options of `RefCache.edit`. */
export interface EditOptions {
  /** @defaultValue an anonymous agent */
  actor?: ActorLike | undefined
  /** Ends the edit: nothing is stored then. */
  signal?: AbortSignal | undefined
}

const OPTIONS: Names<EditOptions> = { actor: true, signal: true }

/** The handle of a changed copy. */
export interface EditedReference extends CacheReference {
  /** What was edited. It stays as it is. */
  readonly derivedFrom: RefId
  /** The first changed places, before and after, in the order of the edits. */
  readonly changes: readonly Change[]
  /** How many changed places are not among them. */
  readonly moreChanges: number
  /** Of the copy, in the cache's size mode: a very large one is measured by samples. Absent where the caller may not see all of it. */
  readonly size?: number
  readonly sizeIsEstimate?: true
}

/** Of entries that are made by edits. */
export const EDIT_TOOL = 'edit_cached_result'

/** An edit holds the value as stored, as changed, and as text in between. */
const COPIES_HELD = 3

/** Where the value is JSON, so many UTF-16 units are read at once. */
const READ_AT_ONCE = 1024 * 1024

/**
 * Makes a changed copy of a value: see `RefCache.edit`.
 * @throws NotFound, PermissionDenied, InvalidArgument, ValueTooLarge, TaskFailed, TaskCancelled, TaskNotReady
 */
export async function edit(
  engine: Engine,
  asked: RefId,
  edits: readonly Edit[],
  options: EditOptions,
): Promise<EditedReference> {
  checkNames(options, OPTIONS, '`edit`')
  const who = toActor(options.actor)
  const checked = checkEdits(edits)
  const { refId, part } = toReference(engine.name, asked) ?? { refId: asked }
  if (part)
    throw new InvalidArgument(
      'A whole value is edited: leave out what follows the #, and begin each "path" with it.',
    )
  const entry = await findReadable(engine, refId, who, {
    action: 'edit',
    permission: Permission.READ,
    verb: 'edit',
  })
  const memory = engine.inputs.open()
  const signal = options.signal ?? new AbortController().signal
  try {
    await memory.take(entry.valueBytes * COPIES_HELD, signal)
    const filled = await fillEdits(engine, checked, who, bytes => memory.take(bytes, signal))
    memory.close()
    return await makeCopy(engine, entry, filled, who, options.signal)
  } finally {
    memory.end()
  }
}

async function makeCopy(
  engine: Engine,
  entry: CompleteEntry,
  filled: FilledEdits,
  who: Actor,
  signal: AbortSignal | undefined,
): Promise<EditedReference> {
  const { stored, editable, view } = await readEditable(engine, entry)
  const { maxBytes } = engine.encoding
  const { concealed } = filled
  const edited = await paced(
    editValue(stored, editable, filled.edits, {
      maxLength: maxBytes,
      concealed,
    }),
    signal,
  )
  const hasUnseen = concealed.count > 0
  // The size is judged without what the caller may not see, which has limits of its own.
  if (hasUnseen) await (await writerOf(edited.marked, undefined, maxBytes)).write(async () => {})
  const made = await storeDerived(
    engine,
    who,
    { from: entry, others: filled.sources, guards: guardsBeside(entry, filled), toolName: EDIT_TOOL, view },
    await writerOf(edited.stored, view, hasUnseen ? Number.POSITIVE_INFINITY : maxBytes),
  )
  const { changes, moreChanges } = edited
  return {
    ...referenceTo(made),
    derivedFrom: entry.refId,
    changes,
    moreChanges,
    ...(hasUnseen ? {} : await sizeOf(engine, edited.shown)),
  }
}

async function sizeOf(
  { settings }: Engine,
  texts: readonly string[],
): Promise<Pick<EditedReference, 'size' | 'sizeIsEstimate'>> {
  const sizes: Size[] = []
  for (const text of texts) sizes.push(await measureText(text, settings.preview.sizeMode))
  return {
    size: sizes.reduce((sum, { size }) => sum + size, 0),
    ...(sizes.some(({ isEstimate }) => isEstimate) ? { sizeIsEstimate: true } : {}),
  }
}

/** The rights that the copy asks for beside those of the value that was edited. */
function guardsBeside({ namespace, policy }: CompleteEntry, { guards }: FilledEdits) {
  const own = JSON.stringify(policy)
  return guards.filter(guard => guard.namespace !== namespace || JSON.stringify(guard.policy) !== own)
}

interface EditableEntry {
  readonly stored: StoredText
  readonly editable: EditableResult
  readonly view: string | undefined
}

async function readEditable(engine: Engine, entry: CompleteEntry): Promise<EditableEntry> {
  const stored = await readText(engine, entry)
  const plain = {
    stored,
    editable: { editables: [editableValue(stored.kind, stored.text)] },
    view: entry.view,
  }
  if (entry.view === undefined || stored.kind === 'text') return plain
  const value = stored.text.length > READ_AT_ONCE ? await readWhole(engine, entry) : parseStored(stored.text)
  const { result, ...used } = await usedOf(engine, entry, value)
  if (result && isCallResult(value)) return { ...plain, editable: editablesOf(value as CallResult) }
  if (wrappingOf(engine, entry)) return plain
  // A projection of the program's own shows something else than what is stored: that is what can be edited.
  const shown: StoredText =
    typeof used.value === 'string'
      ? { kind: 'text', text: used.value }
      : { kind: 'json', text: stringifyJson(used.value) }
  return { stored: shown, editable: { editables: [editableValue(shown.kind, shown.text)] }, view: undefined }
}

async function readText(engine: Engine, entry: CompleteEntry): Promise<StoredText> {
  const reader = await openSegments(engine, entry)
  if (reader?.index.form === 'text' && !reader.index.envelope)
    return { kind: 'text', text: await paced(reader.slice(0, reader.length)) }
  const json = await readJson(engine, entry)
  return json.startsWith('"')
    ? { kind: 'text', text: JSON.parse(json) as string }
    : { kind: 'json', text: json }
}

/** @param view the projection that a large copy is shown through: what that shows is found out while the copy is written */
async function writerOf(
  { kind, text }: StoredText,
  view: string | undefined,
  maxBytes: number,
): Promise<ValueWriter> {
  if (kind === 'text') return new ValueWriter(text, { maxBytes })
  if (view === undefined || text.length <= READ_AT_ONCE) return ValueWriter.ofJson(text, { maxBytes })
  const value = await paced(readJsonText([text]).value())
  return new ValueWriter(value, { maxBytes, verbatim: true, projection: view })
}
