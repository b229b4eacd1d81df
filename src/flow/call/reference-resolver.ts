import { type Actor, describedActor } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import type { SourceConstraint } from '../../access/decision.ts'
import { Permission } from '../../access/permission.ts'
import { parseStored } from '../../core/codec.ts'
import { type Entry, isInFlight } from '../../core/entry.ts'
import type { ValuedEntry } from '../../core/entry-value.ts'
import { CircularReference, InvalidArgument } from '../../core/errors.ts'
import { type ResolveRefs, replaceReferences } from '../../core/input.ts'
import type { JsonValue } from '../../core/json.ts'
import { stringifyJson } from '../../core/json-text.ts'
import { hexOf, type RefId } from '../../core/ref.ts'
import type { Tool } from '../../core/tool.ts'
import { admits, jsonForArgument } from '../../values/argument.ts'
import type { JsonType } from '../../values/schema-types.ts'
import type { Engine } from '../engine.ts'
import { findFor } from '../read/find.ts'
import { renew } from '../read/values.ts'
import { inputSchemaOf, noSuchForm, type Place, placesIn } from './argument-places.ts'
import type { GivenInput } from './draft.ts'
import { type Cost, checkCost, checkSizes, costOf, type Size, sizeOf, sumOf } from './input-cost.ts'
import {
  ASK,
  constraintsOf,
  guardsOfNamed,
  MAX_REFERENCES,
  partialFor,
  refuseEnded,
  USE,
} from './references.ts'
import { type Memory, type UsedValue, UsedValues } from './used-values.ts'

/** References within values within values: so far they are followed. */
const MAX_LEVELS = 8

/** Characters of JSON that may be parsed before others have their turn. */
const PARSED_AT_ONCE = 256 * 1024

/** A value as it goes into an input. */
interface Loaded extends UsedValue {
  /** Whether the caller may see it. */
  readonly sees: boolean
  readonly size: Size
  readonly cost: Cost
}

/** What a value with references in it is itself part of. */
interface Within {
  /** The references that lead there. */
  readonly path: readonly RefId[]
  /** Whether the caller may see all of these. */
  readonly sees: boolean
}

/** One input's references on their way to values. Each value is read once, and counted as often as it is used. */
export class ReferenceResolver {
  readonly guards: SourceConstraint[] = []
  readonly #entries = new Map<RefId, ValuedEntry>()
  private readonly who: Actor
  /** Values and parts of values, by what names them. */
  readonly #loaded = new Map<string, Loaded>()
  readonly #values: UsedValues
  readonly #forms = new Map<string, Loaded>()
  /** Characters that were parsed since others had their turn. */
  #parsed = 0

  constructor(
    private readonly engine: Engine,
    private readonly tool: Tool,
    private readonly task: Entry,
    private readonly used: GivenInput['used'],
    private readonly memory: Memory,
    private readonly signal: AbortSignal,
  ) {
    this.who = describedActor(task.startedBy)
    this.#values = new UsedValues(engine, memory)
  }

  /** Authorizes references that stay as they are. */
  async check(refIds: readonly RefId[]): Promise<void> {
    for (const refId of new Set(refIds)) await this.#find({ refId }, { path: [], sees: true })
  }

  async fill(value: JsonValue, where: ResolveRefs): Promise<JsonValue> {
    const { sharedInput } = this.tool
    return (await this.#fill(value, where, { path: [], sees: true }, sharedInput)).value
  }

  /** Values go in as the text that they are. */
  async fillText(value: JsonValue, where: ResolveRefs): Promise<string> {
    const { forms } = await this.#formsIn(value, where, { path: [], sees: true })
    await this.memory(forms.reduce((sum, { size }) => sum + size.weight, 0))
    const { name, random } = this.engine
    // Nobody can have written it into the input.
    const mark = hexOf(random(16))
    let next = 0
    const marked = stringifyJson(replaceReferences(name, value, where, () => `${mark}:${next++}`))
    // With a group, every second piece is the number of a mark.
    const pieces = marked.split(new RegExp(`"${mark}:(\\d+)"`))
    // Put together without a copy of what may be large.
    return pieces.reduce(
      (text, piece, at) => text + (at % 2 === 0 ? piece : (forms[Number(piece)] as Loaded).text),
    )
  }

  async #fill(value: JsonValue, where: ResolveRefs, within: Within, shared = false) {
    const { forms, cost, copied } = await this.#formsIn(value, where, within, shared)
    if (forms.length === 0) return { value, cost }
    const { name } = this.engine
    const copies = await this.#copies(copied)
    const take = (of: JsonValue[]) => (shared ? of[0] : of.pop()) as JsonValue
    let next = 0
    const filled = replaceReferences(name, value, where, () =>
      take(copies.get(forms[next++] as Loaded) as JsonValue[]),
    )
    return { value: filled, cost }
  }

  /** What goes into the places of the references, in their order; held to the limits. */
  async #formsIn(value: JsonValue, where: ResolveRefs, within: Within, shared = false) {
    const { name, settings } = this.engine
    // What stands in a value was not written for an argument.
    const schema = within.path.length === 0 ? inputSchemaOf(this.tool) : undefined
    const places = placesIn(name, value, where, schema)
    const named = new Map(places.map(place => [nameOf(place), place]))
    if (named.size === 0) return { forms: [], copied: [], cost: sumOf([]) }
    if (this.#loaded.size + named.size > MAX_REFERENCES || within.path.length >= MAX_LEVELS) {
      throw new InvalidArgument(
        'The input has too many references, counting those in the values it refers to.',
      )
    }
    let loaded = sumOf([])
    for (const [key, place] of named) {
      this.signal.throwIfAborted()
      await this.#load(place, within)
      loaded = sumOf([loaded, (this.#loaded.get(key) as Loaded).cost])
      // At once: the rest need not be read to know that it is too much.
      if (within.sees) checkCost(loaded, settings)
    }
    const forms: Loaded[] = []
    for (const place of places) forms.push(await this.#formFor(place))
    const copied = shared ? [...new Set(forms)] : forms
    const cost = sumOf(forms.map(form => form.cost))
    const { weight } = sumOf(copied.map(form => form.cost)).seen
    // What is private as a whole is held to its limits as a whole.
    if (within.sees) checkCost({ ...cost, seen: { ...cost.seen, weight } }, settings)
    else
      checkSizes(
        forms.map(form => form.size),
        settings,
      )
    return { forms, copied, cost }
  }

  /** A value as the argument wants it: the same for all arguments that want the same. */
  async #formFor(place: Place): Promise<Loaded> {
    const { wanted } = place
    const name = nameOf(place)
    const loaded = this.#loaded.get(name) as Loaded
    if (!wanted) return loaded
    const key = `${name} ${[...wanted].join()}`
    const known = this.#forms.get(key)
    if (known) return known
    const form = await this.#makeForm(loaded, wanted)
    if (!form) throw noSuchForm(place, wanted, loaded.text)
    this.#forms.set(key, form)
    return form
  }

  async #makeForm(loaded: Loaded, wanted: ReadonlySet<JsonType>): Promise<Loaded | undefined> {
    if (admits(wanted, loaded.text)) return loaded
    // A text may have to be read as the JSON it is.
    await this.memory(loaded.size.weight)
    const text = jsonForArgument({ json: loaded.text, ...loaded.instead }, wanted)
    if (text === undefined) return undefined
    const size = sizeOf(text)
    return { ...loaded, text, size, cost: costOf(size, loaded.sees) }
  }

  /** The values that are to be used, each as often as it stands there. */
  async #copies(forms: readonly Loaded[]): Promise<Map<Loaded, JsonValue[]>> {
    const copies = new Map<Loaded, JsonValue[]>()
    await this.memory(forms.reduce((sum, { size }) => sum + size.weight, 0))
    for (const form of forms) {
      const of = copies.get(form) ?? []
      of.push(this.#handed(form.text))
      copies.set(form, of)
      await this.#giveTurns(form.text.length)
    }
    return copies
  }

  /** A handler computes with numbers of JavaScript; what only passes them on gets every digit. */
  #handed(json: string): JsonValue {
    return this.tool.verbatim ? parseStored(json) : parseStored(json, JSON.parse)
  }

  async #giveTurns(length: number): Promise<void> {
    this.#parsed += length
    if (this.#parsed < PARSED_AT_ONCE) return
    this.#parsed = 0
    await new Promise<void>(resolve => setImmediate(resolve))
    this.signal.throwIfAborted()
  }

  async #load(place: Place, within: Within): Promise<void> {
    const name = nameOf(place)
    if (within.path.includes(place.refId)) {
      throw new CircularReference('A value that the input refers to contains a reference to itself.')
    }
    if (this.#loaded.has(name)) return
    const entry = this.#entries.get(place.refId) ?? (await this.#find(place, within))
    this.#loaded.set(name, await this.#filled(entry, place, within))
    this.signal.throwIfAborted()
    await renew(this.engine, entry)
  }

  /** The entry of a reference, authorized, with a value. */
  async #find(
    { refId, part }: Pick<Place, 'refId'> & Partial<Place>,
    { path }: Within,
  ): Promise<ValuedEntry> {
    const named = path.length === 0
    // What the call names was recorded when it was made.
    const right = this.tool.takesReferences ? ASK : USE
    const want = named ? { ...right, audit: 'denials-only' as const } : right
    const known = named ? this.used?.get(refId) : undefined
    const entry = known ?? (await findFor(this.engine, refId, this.who, want))
    this.signal.throwIfAborted()
    this.#guardBy(entry, !named)
    // A memoized result must not outlive what a retry makes of this.
    const mayBePartial = named && part !== undefined && this.task.key === undefined
    const partial = mayBePartial ? await partialFor(this.engine, entry, this.who) : undefined
    if (partial) {
      this.#entries.set(refId, partial)
      return partial
    }
    refuseEnded(entry)
    if (isInFlight(entry)) {
      throw new InvalidArgument(
        'A value that the input refers to contains a reference to a task that is still running. Wait for that one first.',
      )
    }
    this.#entries.set(refId, entry)
    return entry
  }

  /** The value of an entry, for a tool that wants it with values in the places of the references in it. */
  async #filled(entry: ValuedEntry, { part }: Place, within: Within): Promise<Loaded> {
    const { name, settings, access } = this.engine
    const sees = access.may(entry, this.who, Permission.READ)
    const {
      text,
      size: own,
      instead,
    } = await (part ? this.#values.part(entry, part, sees) : this.#values.whole(entry))
    const deep = this.tool.resolveRefs === 'deep' && text.includes(`"${name}:`)
    if (!deep) return { text, instead, sees, size: own, cost: costOf(own, sees) }
    await this.memory(own.weight)
    const inside = { path: [...within.path, entry.refId], sees: within.sees && sees }
    const { value, cost } = await this.#fill(parseStored(text), true, inside)
    const whole = stringifyJson(value)
    const size = sizeOf(whole)
    if (!inside.sees) checkSizes([size], settings)
    return {
      text: whole,
      instead: {},
      sees,
      size,
      cost: sees ? sumOf([costOf(own, true), cost]) : costOf(size, false),
    }
  }

  /**
   * Whoever makes the same call later is asked for rights to what stands in it, and not to what that turns out to refer to:
   * so the result is only for those who have these.
   */
  #guardBy(entry: Entry, nested: boolean): void {
    const { declassifies } = this.tool
    const guards = nested
      ? constraintsOf(entry, declassifies ? READ_OR_EXECUTE : Permission.READ)
      : guardsOfNamed(this.engine, entry, this.who, this.tool)
    this.guards.push(...guards)
  }
}

/** What tells apart what stands in the places of an input. */
function nameOf({ refId, part }: Place): string {
  return part ? `${refId}#${JSON.stringify(part)}` : refId
}
