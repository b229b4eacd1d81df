import type { Actor } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import type { SourceConstraint } from '../../access/decision.ts'
import { Permission } from '../../access/permission.ts'
import { type CompleteEntry, type Entry, type InFlightEntry, isInFlight } from '../../core/entry.ts'
import { InvalidArgument, TaskCancelled, TaskFailed } from '../../core/errors.ts'
import type { JsonValue } from '../../core/json.ts'
import { canonical } from '../../core/key.ts'
import type { RefId } from '../../core/ref.ts'
import type { Tool } from '../../core/tool.ts'
import type { Engine } from '../engine.ts'

/** The most that one input may have, counting those in the values it refers to. */
export const MAX_REFERENCES = 1_000

/** Where references stand, however few they are: the schema is asked for each place. */
const MAX_PLACES = 10_000

/** The check for a value that a tool computes with. All refusals look alike. */
export const USE = { action: 'use', permission: READ_OR_EXECUTE, denial: '' } as const

/** @throws InvalidArgument */
export function checkPlaces({ length }: readonly unknown[]): void {
  if (length <= MAX_PLACES) return
  throw new InvalidArgument(`References stand in more than ${MAX_PLACES} places of the input. Use fewer.`)
}

/** Says no more than the status: who may know why it failed asks for it by its own reference. */
export function refuseEnded(entry: Entry): asserts entry is InFlightEntry | CompleteEntry {
  const { status } = entry
  if (status === 'failed') throw new TaskFailed('The task behind a reference in the input failed.')
  if (status === 'cancelled')
    throw new TaskCancelled('The task behind a reference in the input was cancelled.')
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
