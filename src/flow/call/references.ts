import type { Actor } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import type { SourceConstraint } from '../../access/decision.ts'
import { Permission } from '../../access/permission.ts'
import {
  type CompleteEntry,
  type Entry,
  type InFlightEntry,
  isExpired,
  isInFlight,
} from '../../core/entry.ts'
import type { AppendedView } from '../../core/entry-value.ts'
import { InvalidArgument, TaskCancelled, TaskFailed } from '../../core/errors.ts'
import { wholeReferencesIn } from '../../core/input.ts'
import type { JsonValue } from '../../core/json.ts'
import { canonical } from '../../core/key.ts'
import { cacheNameOf, type RefId } from '../../core/ref.ts'
import type { Tool } from '../../core/tool.ts'
import type { Engine } from '../engine.ts'
import { appendedOf } from '../read/appended.ts'
import { findFor } from '../read/find.ts'
import { PRIVATE } from '../read/reply.ts'
import { checkUnseenPlaces } from './input-cost.ts'

/** The most that one input may have, counting those in the values it refers to. */
export const MAX_REFERENCES = 1_000

/** Where references stand, however few they are: the schema is asked for each place. */
const MAX_PLACES = 10_000

/** Other texts may look like references (`md5:…`): so many of them are looked up. */
const MAX_FOREIGN = 100

/** The check for a value that a tool computes with. All refusals look alike. */
export const USE = { action: 'use', permission: READ_OR_EXECUTE, denial: '' } as const

/** The check for a value that is asked. */
export const ASK = { action: 'query', permission: Permission.READ, denial: PRIVATE } as const

/** @throws InvalidArgument */
export function checkPlaces({ length }: readonly unknown[]): void {
  if (length <= MAX_PLACES) return
  throw new InvalidArgument(`References stand in more than ${MAX_PLACES} places of the input. Use fewer.`)
}

/** References as often as they stand in an input. @throws InvalidArgument where they are too many */
export function checkReferences(places: readonly RefId[]): void {
  if (new Set(places).size > MAX_REFERENCES) {
    throw new InvalidArgument(`The input has more than ${MAX_REFERENCES} references. Use fewer.`)
  }
  checkPlaces(places)
}

/** What a call's task needs to know of the references in its input. */
export interface AcceptedReferences {
  /** Their values take their places where the handler runs. */
  readonly uses: readonly RefId[]
  /** Their entries, as they were when the caller was authorized. */
  readonly used: ReadonlyMap<RefId, Entry>
  /** The guards of what the caller may use but not see. */
  readonly derivedFrom: readonly SourceConstraint[]
  /** Some of it is still in flight: who may see the result is known only when it is there. */
  readonly unsettled: boolean
  /** Parts are named of what a task had appended that ended without a value. */
  readonly isPartial: boolean
}

/**
 * Authorizes the caller for the references in an input.
 * @param places each reference as often as it stands in the input
 * @throws as `draftCall`
 */
export async function acceptReferences(
  engine: Engine,
  tool: Tool,
  input: JsonValue,
  places: readonly RefId[],
  who: Actor,
): Promise<AcceptedReferences> {
  const named = [...new Set(places)]
  checkReferences(places)
  const want = tool.takesReferences ? ASK : USE
  const entries = await Promise.all(named.map(refId => findFor(engine, refId, who, want)))
  const soFar = new Set(tool.takesReferences?.soFar(input))
  const awaited = entries.filter(({ refId }) => !soFar.has(refId))
  const ended = awaited.filter(hasEnded)
  if (ended.length > 0) {
    const whole = tool.takesReferences ? named : wholeReferencesIn(engine.name, input, tool.resolveRefs)
    for (const entry of ended) {
      if (whole.includes(entry.refId) || !(await partialFor(engine, entry, who))) refuseEnded(entry)
    }
  }
  const unseen = entries.filter(entry => !engine.access.may(entry, who, Permission.READ))
  const hidden = new Set(unseen.map(({ refId }) => refId))
  checkUnseenPlaces(places.filter(refId => hidden.has(refId)).length)
  const derivedFrom = entries.flatMap(entry => guardsOfNamed(engine, entry, who, tool))
  return {
    uses: awaited.map(({ refId }) => refId),
    used: new Map(entries.map(entry => [entry.refId, entry])),
    derivedFrom: unique(derivedFrom),
    unsettled: awaited.some(isInFlight),
    isPartial: ended.length > 0,
  }
}

function hasEnded({ status }: Entry): boolean {
  return status === 'failed' || status === 'cancelled'
}

/**
 * What a task has appended that ended without a value, for parts of it. Whoever may not see it learns no more than that the task ended.
 */
export async function partialFor(
  engine: Engine,
  entry: Entry,
  who: Actor,
): Promise<AppendedView | undefined> {
  return hasEnded(entry) && engine.access.may(entry, who, Permission.READ)
    ? appendedOf(engine, entry)
    : undefined
}

/**
 * A reference of another cache on this store would reach the handler as a text, and nobody would notice. Its own cache
 * says who may use it, so it is refused. A text that names nothing, or nothing that the caller may know of, stays a text.
 */
export async function refuseForeign(engine: Engine, found: readonly RefId[], who: Actor): Promise<void> {
  const texts = [...new Set(found)]
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

/** Says no more than the status: who may know why it failed asks for it by its own reference. */
export function refuseEnded(entry: Entry): asserts entry is InFlightEntry | CompleteEntry {
  const { status } = entry
  if (status === 'failed') throw new TaskFailed('The task behind a reference in the input failed.')
  if (status === 'cancelled')
    throw new TaskCancelled('The task behind a reference in the input was cancelled.')
}

/**
 * What guards a result because the call names that entry. What a question finds is guarded by all that was asked; where that is a value
 * that tells nothing of another one, the words of the question tell nothing of it either.
 */
export function guardsOfNamed(engine: Engine, entry: Entry, who: Actor, tool: Tool): SourceConstraint[] {
  return tool.takesReferences
    ? constraintsOf(entry, Permission.READ).filter(({ needs }) => needs !== Permission.NONE)
    : constraintsOfUnseen(engine, entry, who, tool)
}

/** The guards of what a call names, may use and may not see. What a tool declassifies is guarded in its words alone. */
export function constraintsOfUnseen(
  engine: Engine,
  entry: Entry,
  who: Actor,
  { declassifies }: Tool,
): SourceConstraint[] {
  if (engine.access.may(entry, who, Permission.READ)) return []
  return constraintsOf(entry, declassifies ? Permission.NONE : Permission.READ)
}

/** What guards a result that was made with the value of this entry. */
export function constraintsOf(
  { namespace, policy, derivedFrom = [] }: Entry,
  needs: Permission,
): SourceConstraint[] {
  const inherited =
    needs === Permission.READ
      ? derivedFrom
      : derivedFrom.map(guard => ({ ...guard, needs: guard.needs === Permission.NONE ? guard.needs : needs }))
  return [{ namespace, policy, needs }, ...inherited]
}

/** Each kind of guard once. */
export function unique(guards: readonly SourceConstraint[]): SourceConstraint[] {
  return [...new Map(guards.map(guard => [canonical({ ...guard } as unknown as JsonValue), guard])).values()]
}

/** Waits, for as long as the task is ours, until nothing that it uses is in flight any more. */
export async function waitUntilSettled(
  engine: Engine,
  uses: readonly RefId[],
  signal: AbortSignal,
): Promise<void> {
  for (const refId of uses) {
    const entry = await engine.store.get(refId)
    if (entry) await engine.entries.follow(entry, { within: undefined, signals: [signal] })
    signal.throwIfAborted()
  }
}

/** Whether one of them is in flight, so that a task that uses them has to wait. */
export async function anyInFlight(engine: Engine, uses: readonly RefId[]): Promise<boolean> {
  const entries = await Promise.all(uses.map(refId => engine.store.get(refId)))
  return entries.some(entry => entry !== undefined && isInFlight(entry))
}
