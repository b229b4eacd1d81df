import { type Actor, describedActor } from '../access/actor.ts'
import { KNOW } from '../access/authorize.ts'
import type { Source } from '../access/decision.ts'
import { Permission } from '../access/permission.ts'
import { type Entry, isInFlight } from '../core/entry.ts'
import { CircularReference, InvalidArgument, TaskCancelled, ValueTooLarge } from '../core/errors.ts'
import { referencesIn, replaceReferences } from '../core/input.ts'
import type { JsonValue } from '../core/json.ts'
import { canonical } from '../core/key.ts'
import type { RefId } from '../core/ref.ts'
import { serializeInput } from '../core/serialize.ts'
import { validate } from '../core/standard-schema.ts'
import type { Tool } from '../core/tool.ts'
import type { Engine } from './engine.ts'
import { findFor } from './find.ts'
import { follow } from './follow.ts'
import { renew } from './renew.ts'
import { taskFailed } from './status.ts'
import { readJson } from './values.ts'

const MAX_REFERENCES = 1_000

/** References within values within values: so far they are followed. */
const MAX_LEVELS = 8

/** What a call's task needs to know of its input. */
export interface AcceptedInput {
  readonly json: string
  /** The references in it; their values take their places where the handler runs. */
  readonly uses: readonly RefId[]
  /** What the caller may use but not see, and its result tells of. */
  readonly derivedFrom: readonly Source[]
}

/**
 * A call's input as it is stored: validated where that is possible already; the references in it authorized for the caller.
 *
 * @throws NotFound for any reference that the caller may not use, whatever the reason; InvalidArgument; TaskFailed and
 *   TaskCancelled where a reference will never have a value
 */
export async function acceptInput(
  engine: Engine,
  tool: Tool,
  input: unknown,
  who: Actor,
): Promise<AcceptedInput> {
  const uses = referencesIn(engine.name, input, tool.resolveRefs)
  if (uses.length === 0) {
    const valid = tool.input ? await validate(tool.input, input, 'The input') : input
    return { json: serializeInput(valid), uses, derivedFrom: [] }
  }
  if (uses.length > MAX_REFERENCES) {
    throw new InvalidArgument(`The input has more than ${MAX_REFERENCES} references. Use fewer.`)
  }
  const json = serializeInput(input)
  const entries = await Promise.all(uses.map(refId => findUsable(engine, refId, who)))
  const unseen = entries.filter(entry => !engine.access.may(entry, who, Permission.READ))
  return { json, uses, derivedFrom: tool.declassifies ? [] : sourcesOf(unseen, Permission.READ) }
}

/** Waits, for as long as the task is ours, until nothing that it uses is in flight any more. */
export async function settled(engine: Engine, uses: readonly RefId[], signal: AbortSignal): Promise<void> {
  for (const refId of uses) {
    const entry = await engine.store.get(refId)
    if (entry) await follow(engine, entry, { within: undefined, signals: [signal] })
    signal.throwIfAborted()
  }
}

/** Whether it would have to wait. */
export async function inFlight(engine: Engine, uses: readonly RefId[]): Promise<boolean> {
  const entries = await Promise.all(uses.map(refId => engine.store.get(refId)))
  return entries.some(entry => entry !== undefined && isInFlight(entry))
}

/** The arguments of a handler, with values in the places of references. */
export interface FilledInput {
  readonly args: JsonValue
  /** All that limits who may see the result. */
  readonly derivedFrom: readonly Source[]
}

/**
 * Puts values in the places of references, also of those that stand in the values themselves.
 *
 * Whoever makes the same call later is not asked for rights to the latter, so the result is only for those who
 * have them.
 */
export async function fillInput(
  engine: Engine,
  tool: Tool,
  entry: Entry,
  json: string,
): Promise<FilledInput> {
  const input = JSON.parse(json) as JsonValue
  const known = entry.derivedFrom ?? []
  if (!entry.uses) return { args: input, derivedFrom: known }
  const filling = new Filling(engine, describedActor(entry.startedBy))
  const args = await filling.fill(input, tool.resolveRefs)
  const valid = tool.input ? await validate(tool.input, args, 'The input') : args
  const needs = tool.declassifies ? KNOW : Permission.READ
  return { args: valid as JsonValue, derivedFrom: unique([...known, ...sourcesOf(filling.nested, needs)]) }
}

/** One input's references on their way to values. Each value is read once, and counted as often as it is used. */
class Filling {
  readonly nested: Entry[] = []
  readonly #texts = new Map<RefId, string>()

  constructor(
    private readonly engine: Engine,
    private readonly who: Actor,
  ) {}

  async fill(value: JsonValue, where: Tool['resolveRefs'], path: readonly RefId[] = []): Promise<JsonValue> {
    const { name } = this.engine
    const refs = referencesIn(name, value, where)
    if (refs.length === 0) return value
    if (this.#texts.size + refs.length > MAX_REFERENCES || path.length >= MAX_LEVELS) {
      throw new InvalidArgument(
        'The input has too many references, counting those in the values it refers to.',
      )
    }
    for (const refId of refs) await this.#load(refId, path)
    let length = 0
    return replaceReferences(name, value, where, refId => {
      const text = this.#texts.get(refId) as string
      length += text.length
      this.#checkLength(length)
      return JSON.parse(text) as JsonValue
    })
  }

  async #load(refId: RefId, path: readonly RefId[]): Promise<void> {
    if (path.includes(refId)) {
      throw new CircularReference('A value that the input refers to contains a reference to itself.')
    }
    if (this.#texts.has(refId)) return
    const entry = await findUsable(this.engine, refId, this.who)
    if (isInFlight(entry)) {
      throw new InvalidArgument(
        'A value that the input refers to contains a reference to a task that is still running. Wait for that one first.',
      )
    }
    if (path.length > 0) this.nested.push(entry)
    const text = await this.#used(entry)
    const filled = text.includes(`"${this.engine.name}:`)
      ? JSON.stringify(await this.fill(JSON.parse(text) as JsonValue, true, [...path, refId]))
      : text
    this.#checkLength(filled.length)
    this.#texts.set(refId, filled)
    await renew(this.engine, entry)
  }

  async #used(entry: Entry): Promise<string> {
    const json = await readJson(this.engine, entry)
    const project = entry.view === undefined ? undefined : this.engine.views[entry.view]
    return project ? JSON.stringify(project(JSON.parse(json) as JsonValue, 'use')) : json
  }

  #checkLength(length: number): void {
    const { maxValueBytes } = this.engine.settings
    if (length <= maxValueBytes) return
    throw new ValueTooLarge(
      `With values in the places of its references the input has more than ${maxValueBytes} characters of JSON.`,
    )
  }
}

/** The entry of a reference that somebody computes with. Whatever stands against it looks alike. */
async function findUsable(engine: Engine, refId: RefId, who: Actor): Promise<Entry> {
  const want = { action: 'use', permission: KNOW, denial: '' } as const
  const entry = await findFor(engine, refId, who, want)
  if (entry.status === 'failed') throw taskFailed(engine, entry, who)
  if (entry.status === 'cancelled')
    throw new TaskCancelled('The task behind a reference in the input was cancelled.')
  return entry
}

/** What a result that was computed from `entries` is guarded by; each kind of guard once. */
function sourcesOf(entries: readonly Entry[], needs: Permission): Source[] {
  const sources = entries.flatMap(({ namespace, policy, derivedFrom = [] }) => [
    { namespace, policy, needs },
    ...derivedFrom,
  ])
  return unique(sources)
}

function unique(sources: readonly Source[]): Source[] {
  return [
    ...new Map(sources.map(source => [canonical({ ...source } as unknown as JsonValue), source])).values(),
  ]
}
