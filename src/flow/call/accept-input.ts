import type { Actor } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import type { SourceConstraint } from '../../access/decision.ts'
import { Permission } from '../../access/permission.ts'
import { type Entry, isExpired, isInFlight } from '../../core/entry.ts'
import { InvalidArgument } from '../../core/errors.ts'
import { foreignReferencesIn, referencesIn } from '../../core/input.ts'
import type { JsonValue } from '../../core/json.ts'
import { parseJson, stringifyJson } from '../../core/json-text.ts'
import { cacheNameOf, type RefId } from '../../core/ref.ts'
import { isLossless, serializeInput } from '../../core/serialize.ts'
import { validate } from '../../core/standard-schema.ts'
import type { Tool } from '../../core/tool.ts'
import type { Engine } from '../engine.ts'
import { findFor } from '../read/find.ts'
import { checkUnseenPlaces } from './input-cost.ts'
import { checkPlaces, constraintsOfUnseen, MAX_REFERENCES, refuseEnded, USE, unique } from './references.ts'

/** What a call's task needs to know of its input. */
export interface AcceptedInput {
  /** As the caller gave it: the tool's schema makes of it what the handler gets, where that runs. */
  readonly json: string
  /** What makes two inputs the same. */
  readonly keyed: string
  /** The references in it; their values take their places where the handler runs. */
  readonly uses: readonly RefId[]
  /** Their entries, as they were when the caller was authorized. */
  readonly used: ReadonlyMap<RefId, Entry>
  /** The guards of what the caller may use but not see. */
  readonly derivedFrom: readonly SourceConstraint[]
  /** Some of it is still in flight: who may see the result is known only when it is there. */
  readonly unsettled: boolean
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
  const json = inputText(tool, input)
  // As the handler's process will read it, wherever that is.
  const given = tool.verbatim ? input : parseJson(json)
  await refuseForeign(engine, tool, given, who)
  const places = referencesIn(engine.name, given, tool.resolveRefs)
  const uses = [...new Set(places)]
  if (uses.length === 0) {
    const keyed = tool.input ? keyTextOf(await validate(tool.input, given, 'The input'), json) : json
    return { json, keyed, uses, used: new Map(), derivedFrom: [], unsettled: false }
  }
  if (uses.length > MAX_REFERENCES) {
    throw new InvalidArgument(`The input has more than ${MAX_REFERENCES} references. Use fewer.`)
  }
  checkPlaces(places)
  const entries = await Promise.all(uses.map(refId => findFor(engine, refId, who, USE)))
  for (const entry of entries) refuseEnded(entry)
  const unseen = entries.filter(entry => !engine.access.may(entry, who, Permission.READ))
  const hidden = new Set(unseen.map(({ refId }) => refId))
  checkUnseenPlaces(places.filter(refId => hidden.has(refId)).length)
  const derivedFrom = entries.flatMap(entry => constraintsOfUnseen(engine, entry, who, tool))
  return {
    json,
    keyed: json,
    uses,
    used: new Map(entries.map(entry => [entry.refId, entry])),
    derivedFrom: unique(derivedFrom),
    unsettled: entries.some(isInFlight),
  }
}

/**
 * Inputs of which the schema makes the same are the same call, where JSON tells all of what it makes. A Set or an instance
 * may differ in what JSON does not show: then the input counts as it was given.
 */
function keyTextOf(valid: unknown, json: string): string {
  return isLossless(valid) ? serializeInput(valid) : json
}

export function inputText({ verbatim }: Tool, input: unknown): string {
  return verbatim ? stringifyJson(input as JsonValue) : serializeInput(input)
}

/** Other texts may look like references (`md5:…`): so many of them are looked up. */
const MAX_FOREIGN = 100

/**
 * A reference of another cache on this store would reach the handler as a text, and nobody would notice. Its own cache
 * says who may use it, so it is refused. A text that names nothing, or nothing that the caller may know of, stays a text.
 */
async function refuseForeign(engine: Engine, tool: Tool, input: unknown, who: Actor): Promise<void> {
  const texts = [...new Set(foreignReferencesIn(engine.name, input, tool.resolveRefs))]
  const entries = await Promise.all(texts.slice(0, MAX_FOREIGN).map(text => engine.store.get(text)))
  for (const entry of entries) {
    if (!entry || isExpired(entry, engine.clock.now()) || !engine.access.may(entry, who, READ_OR_EXECUTE))
      continue
    const owner = cacheNameOf(entry.refId)
    throw new InvalidArgument(
      `The input holds a reference of '${owner}', and this is '${engine.name}'. Give it to a tool of '${owner}', or read it there with get_cached_result and pass what is needed of it.`,
    )
  }
}
