import { type Actor, type ActorLike, toActor } from '../../access/actor.ts'
import { Permission } from '../../access/permission.ts'
import { toDate } from '../../core/clock.ts'
import { type Entry, isInFlight, type Progress } from '../../core/entry.ts'
import { describeEntry, type EntryInfo, isFound } from '../../core/entry-info.ts'
import { hasValue } from '../../core/entry-value.ts'
import type { RefId } from '../../core/ref.ts'
import type { CallResponse } from '../../core/response.ts'
import { mayRemove } from '../control/delete.ts'
import type { Engine } from '../engine.ts'
import { findAnd } from '../read/find.ts'
import { replyStatus } from '../read/reply.ts'
import { type OwnFilter, pageOfOwn } from './own-entries.ts'

/** What an actor may do with an entry that it knows of. */
export type KnownAction = 'read' | 'cancel' | 'retry' | 'delete' | 'answer'

/**
 * An entry as one who may know of it sees it: of how it stands what `taskStatus` tells that actor, and no session's id. What the value
 * is like, and words, are for those who may read it.
 */
export interface KnownEntry extends Omit<EntryInfo, 'policy' | 'attempt' | 'progress'> {
  readonly attempt?: number
  readonly progress?: Progress
  readonly etaSeconds?: number
  readonly retryAt?: Date
  /** How many answers of this actor the task waits for. */
  readonly questions?: number
  readonly may: readonly KnownAction[]
}

export interface KnownPage {
  readonly entries: readonly KnownEntry[]
  readonly nextCursor?: string
}

export interface ListKnownOptions extends Omit<OwnFilter, 'isWanted'> {
  readonly actor: ActorLike
  /** By the name that people know. */
  readonly tool?: string | undefined
  /** A part of that name, of the label, or of the reference; upper and lower case are the same. */
  readonly find?: string | undefined
}

/** The entries that the actor itself had made, tasks and values alike. @throws InvalidArgument */
export async function listKnown(engine: Engine, options: ListKnownOptions): Promise<KnownPage> {
  const { actor, tool, find, ...filter } = options
  const who = toActor(actor)
  const isWanted = (entry: Entry) => {
    const toolName = engine.toolLabel(entry.toolName ?? '')
    return (tool === undefined || toolName === tool) && isFound(namesOf(engine, entry, who, toolName), find)
  }
  const { entries, nextCursor } = await pageOfOwn(engine, who, { ...filter, isWanted })
  const known = entries.map(entry => describeKnown(engine, entry, who))
  return { entries: known, ...(nextCursor === undefined ? {} : { nextCursor }) }
}

/** What a label says is for those who may read the value. */
function namesOf(engine: Engine, entry: Entry, who: Actor, toolName: string) {
  const { refId, label } = entry
  const isShown = label !== undefined && engine.access.may(entry, who, Permission.READ)
  return { refId, toolName, ...(isShown ? { label } : {}) }
}

/** One entry, whoever had it made. @throws NotFound where the actor may not know of it */
export function knownEntry(engine: Engine, refId: RefId, like: ActorLike): Promise<KnownEntry> {
  const who = toActor(like)
  return findAnd(engine, refId, who, entry => describeKnown(engine, entry, who, refId))
}

/** @throws NotFound where the actor may not know of it */
export function describeKnown(
  engine: Engine,
  entry: Entry | undefined,
  who: Actor,
  refId = entry?.refId,
): KnownEntry {
  const response = replyStatus(engine, entry, who, { action: 'status', refId, format: 'standard' })
  // Nobody is authorized for what is not there.
  const known = entry as Entry
  const mayRead = engine.access.may(known, who, Permission.READ)
  const { policy: _, progress: __, errorCode: ___, ...info } = describeEntry(known)
  const { label, toolName, valueBytes, attempt, ...facts } = info
  return {
    ...facts,
    ...(toolName === undefined ? {} : { toolName: engine.toolLabel(toolName) }),
    ...(mayRead && label !== undefined ? { label } : {}),
    ...(mayRead && valueBytes !== undefined ? { valueBytes } : {}),
    ...(engine.access.canReadMessages(known, who) ? { attempt } : {}),
    ...standing(response),
    ...(known.status === 'pending' && known.retryAt !== undefined ? { retryAt: toDate(known.retryAt) } : {}),
    may: actionsOn(engine, known, who, response, mayRead),
  }
}

function standing(response: CallResponse) {
  if (response.status === 'complete') return {}
  const { progress, etaSeconds, errorCode, inputRequests } = response
  const questions = Object.keys(inputRequests ?? {}).length
  return {
    ...(progress ? { progress } : {}),
    ...(etaSeconds === undefined ? {} : { etaSeconds }),
    ...(errorCode === undefined ? {} : { errorCode }),
    ...(questions === 0 ? {} : { questions }),
  }
}

function actionsOn(
  engine: Engine,
  entry: Entry,
  who: Actor,
  response: CallResponse,
  mayRead: boolean,
): KnownAction[] {
  const { access } = engine
  const isControlled = access.mayControl(entry, who)
  const canRetry = response.status !== 'complete' && !isInFlight(entry) && response.canRetry === true
  const inputRequests = response.status === 'complete' ? undefined : response.inputRequests
  const may: Record<KnownAction, boolean> = {
    read: mayRead && (hasValue(entry) || entry.appended !== undefined),
    cancel: isControlled && isInFlight(entry),
    retry: isControlled && canRetry,
    delete: mayRemove(engine, entry, who),
    answer: inputRequests !== undefined,
  }
  return (Object.keys(may) as KnownAction[]).filter(action => may[action])
}
