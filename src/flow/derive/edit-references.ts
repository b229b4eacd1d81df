import type { Actor } from '../../access/actor.ts'
import type { SourceConstraint } from '../../access/decision.ts'
import { Permission } from '../../access/permission.ts'
import { isInFlight } from '../../core/entry.ts'
import type { ValuedEntry } from '../../core/entry-value.ts'
import { PermissionDenied, TaskNotReady } from '../../core/errors.ts'
import { foreignReferencesIn, referencesIn, replaceReferences } from '../../core/input.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson } from '../../core/json-text.ts'
import { type Part, pointerOf, toReference } from '../../core/part.ts'
import { hexOf, type RefId } from '../../core/ref.ts'
import { paced } from '../../core/steps.ts'
import { jsonForArgument } from '../../values/argument.ts'
import { ConcealedValues } from '../../values/edit/concealed.ts'
import type { CheckedEdit } from '../../values/edit/edits.ts'
import { isJson } from '../../values/edit/json-check.ts'
import { checkCost, costOf, sizeOf, sumOf } from '../call/input-cost.ts'
import {
  checkReferences,
  constraintsOf,
  partialFor,
  refuseEnded,
  refuseForeign,
  USE,
} from '../call/references.ts'
import { type Memory, type UsedValue, UsedValues } from '../call/used-values.ts'
import type { Engine } from '../engine.ts'
import { findFor } from '../read/find.ts'

const UNSEEN_PART =
  'An edit takes no part of a value that you may not see: pass its whole reference, without what follows the #.'

/** Edits with values in the places of their references. */
export interface FilledEdits {
  readonly edits: readonly CheckedEdit[]
  /** The entries of all values that the edits use. */
  readonly sources: readonly ValuedEntry[]
  /** Of these values. */
  readonly guards: readonly SourceConstraint[]
  /** Values that the caller may use, but not see. */
  readonly concealed: ConcealedValues
}

/** A value that stands for a reference in an edit. */
interface Loaded {
  readonly value: UsedValue
  readonly sees: boolean
}

/**
 * Puts values in the places of the references that edits put in: of `value` and `replace`. What is looked for (`find`, `test`) is
 * never a reference that the caller may not see, or edits would tell what it holds.
 *
 * @param memory where values of many bytes wait until others have made room
 * @throws as a call with these references in its input
 */
export async function fillEdits(
  engine: Engine,
  edits: readonly CheckedEdit[],
  who: Actor,
  memory: Memory,
): Promise<FilledEdits> {
  const concealed = new ConcealedValues(hexOf(engine.random(16)), (places, values) => {
    const { largestUnseen } = sumOf(values.map(json => costOf(sizeOf(json), false)))
    checkCost({ ...sumOf([]), largestUnseen, unseen: places }, engine.settings)
  })
  const filler = new EditFiller(engine, who, concealed, memory)
  const filled: CheckedEdit[] = []
  for (const edit of edits) filled.push(await filler.fill(edit))
  filler.check()
  return { edits: filled, sources: filler.sources, guards: filler.guards, concealed }
}

class EditFiller {
  readonly guards: SourceConstraint[] = []
  readonly #entries = new Map<RefId, ValuedEntry>()
  readonly #sources = new Set<ValuedEntry>()
  readonly #loaded = new Map<string, Loaded>()
  readonly #values: UsedValues
  /** Of all values that were loaded. */
  #loadedCost = sumOf([])
  /** Of each place that a value takes. */
  readonly #costs: ReturnType<typeof costOf>[] = []

  constructor(
    private readonly engine: Engine,
    private readonly who: Actor,
    private readonly concealed: ConcealedValues,
    private readonly memory: Memory,
  ) {
    this.#values = new UsedValues(engine, memory)
  }

  get sources(): readonly ValuedEntry[] {
    return [...this.#sources]
  }

  async fill(edit: CheckedEdit): Promise<CheckedEdit> {
    if (edit.op === 'find') return { ...edit, ...(await this.#text(edit.replace)) }
    if (edit.op !== 'add' && edit.op !== 'replace' && edit.op !== 'test') return edit
    const { value } = edit
    await this.#load(value, edit.op === 'test')
    const reference = toReference(this.engine.name, value)
    if (reference && !reference.part) return { ...edit, ...(await this.#whole(reference.refId)) }
    const place = (refId: RefId, _: unknown, part: Part | undefined) => this.#json(refId, part)
    return { ...edit, value: replaceReferences(this.engine.name, value, true, place) }
  }

  /** What was put in is held to the limits of an input. */
  check(): void {
    checkCost(sumOf(this.#costs), this.engine.settings)
  }

  /** A text that is JSON goes in as that JSON, unless a text stands there. */
  async #whole(refId: RefId): Promise<{ value: JsonValue; valueForText?: string }> {
    const { value, sees } = this.#take(refId, undefined)
    const { text: json, instead } = value
    const text = jsonForArgument({ json, ...instead }, new Set(['string']))
    const plain = text === undefined ? json : (JSON.parse(text) as string)
    const isText = json.startsWith('"')
    const inner = isText && (await paced(isJson(plain))) ? plain.trim() : json
    if (!sees) {
      return { value: this.concealed.json(inner), valueForText: this.concealed.text(plain) }
    }
    return { value: parseJson(inner), ...(isText ? { valueForText: plain } : {}) }
  }

  #json(refId: RefId, part: Part | undefined): JsonValue {
    const { value, sees } = this.#take(refId, part)
    return sees ? parseJson(value.text) : this.concealed.json(value.text)
  }

  async #text(replace: string): Promise<{ replace: string; replaceInString?: string }> {
    await this.#load(replace, false)
    const reference = toReference(this.engine.name, replace)
    if (!reference) return { replace }
    const { value, sees } = this.#take(reference.refId, reference.part)
    const json = jsonForArgument({ json: value.text, ...value.instead }, new Set(['string'])) as string
    const text = JSON.parse(json) as string
    if (sees) return { replace: text }
    return { replace: this.concealed.textPart(text), replaceInString: this.concealed.stringPart(text) }
  }

  #take(refId: RefId, part: Part | undefined): Loaded {
    const loaded = this.#loaded.get(nameOf(refId, part)) as Loaded
    this.#costs.push(costOf(sizeOf(loaded.value.text), loaded.sees))
    return loaded
  }

  async #load(value: JsonValue, mustSee: boolean): Promise<void> {
    const { name } = this.engine
    const foreign = foreignReferencesIn(name, value)
    if (foreign.length > 0) await refuseForeign(this.engine, foreign, this.who)
    checkReferences(referencesIn(name, value))
    const places: Array<{ refId: RefId; part: Part | undefined }> = []
    replaceReferences(name, value, true, (refId, _, part) => {
      places.push({ refId, part })
      return refId
    })
    for (const { refId, part } of places) {
      const entry = this.#entries.get(refId) ?? (await this.#find(refId, part, mustSee))
      const key = nameOf(refId, part)
      if (this.#loaded.has(key)) continue
      const sees = this.engine.access.may(entry, this.who, Permission.READ)
      // Before it is looked for: whether there is such a part must not decide the answer.
      if (part && !sees) throw new PermissionDenied(UNSEEN_PART)
      const used = await (part ? this.#values.part(entry, part, true) : this.#values.whole(entry))
      this.#loaded.set(key, { value: used, sees })
      await this.#countLoaded(used, sees)
    }
  }

  /** At once: the rest need not be read to know that it is too much. */
  async #countLoaded({ text }: UsedValue, sees: boolean): Promise<void> {
    const size = sizeOf(text)
    this.#loadedCost = sumOf([this.#loadedCost, costOf(size, sees)])
    checkCost(this.#loadedCost, this.engine.settings)
    await this.memory(size.weight)
  }

  async #find(refId: RefId, part: Part | undefined, mustSee: boolean): Promise<ValuedEntry> {
    const want = mustSee
      ? {
          ...USE,
          permission: Permission.READ,
          denial: 'A test compares with a value that you may see. This one is private.',
        }
      : USE
    const entry = await findFor(this.engine, refId, this.who, want)
    const partial = part && (await partialFor(this.engine, entry, this.who))
    if (!partial) refuseEnded(entry)
    if (isInFlight(entry)) {
      throw new TaskNotReady(
        'The task behind a reference in the edits is still running. Wait for it, then edit.',
      )
    }
    this.guards.push(...constraintsOf(entry, Permission.READ))
    const valued = partial ?? (entry as ValuedEntry)
    // Parts of what is left of a task say nothing of the whole.
    if (!partial) this.#entries.set(refId, valued)
    this.#sources.add(valued)
    return valued
  }
}

function nameOf(refId: RefId, part: Part | undefined): string {
  return part
    ? `${refId}#${part.kind === 'lines' ? `L${part.first}-${part.last}` : pointerOf(part.steps)}`
    : refId
}
