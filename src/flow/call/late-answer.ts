import type { Actor } from '../../access/actor.ts'
import { READ_OR_EXECUTE } from '../../access/authorize.ts'
import { isCancelled } from '../../core/abort.ts'
import { type Entry, isInFlight } from '../../core/entry.ts'
import { StoreUnavailable } from '../../core/errors.ts'
import type { CallResponse } from '../../core/response.ts'
import type { Engine } from '../engine.ts'
import type { FollowOptions } from '../entries.ts'

/** How long the work is followed on before the store is tried again. */
const TRY_AGAIN_MS = 1_000

/**
 * Before a handle is given its entry is stored. While the store is away the work goes on, and so does the wait; nothing is run
 * again.
 * @returns the entry as it then is
 */
export async function followUntilStored(
  engine: Engine,
  entry: Entry,
  options: FollowOptions,
): Promise<Entry | undefined> {
  const { lateClaims } = engine
  const { refId } = entry
  let latest: Entry | undefined = entry
  while (latest && isInFlight(latest) && lateClaims.isUnstored(refId)) {
    try {
      await lateClaims.storeNow(refId)
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error
      if (options.signals?.some(signal => signal?.aborted)) {
        lateClaims.keepTrying(refId)
        return latest
      }
      latest = await engine.entries.follow(latest, { ...options, within: TRY_AGAIN_MS })
    }
  }
  return latest
}

/** The answer to a call whose entry was not stored: it passes without one, or is stored now because there is more to it. */
export async function storedOrPassed(
  engine: Engine,
  entry: Entry,
  who: Actor,
  answer: CallResponse,
  signal: AbortSignal | undefined,
): Promise<CallResponse> {
  const response =
    isCancelled(signal) || passes(answer)
      ? ({ isUnstored: true, ...answer } as const)
      : await store(engine, answer)
  engine.access.authorize(entry, who, {
    action: 'call',
    permission: READ_OR_EXECUTE,
    refId: entry.refId,
    denial: '',
  })
  return response
}

function passes(answer: CallResponse): boolean {
  if (answer.status === 'cancelled') return true
  const shown = answer.status === 'complete' ? answer : answer.errorValue
  return shown?.isComplete === true && !shown.isReference
}

async function store({ lateClaims }: Engine, answer: CallResponse): Promise<CallResponse> {
  try {
    await lateClaims.storeNow(answer.refId)
    return answer
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    if (answer.status !== 'complete') throw error
    return { ...answer, isUnstored: true, errorCode: error.code, message: NOT_KEPT } as CallResponse
  }
}

const NOT_KEPT =
  'Only a preview, and the rest could not be kept: the store of the cache cannot be used for the moment. Call the tool again later for all of it.'
