import type { SourceConstraint } from '../../access/decision.ts'
import type { Lease, ProcessingEntry } from '../../core/entry.ts'
import type { JsonValue } from '../../core/json.ts'
import type { RefId } from '../../core/ref.ts'
import type { Tool } from '../../core/tool.ts'
import type { GivenInput } from '../call/draft.ts'
import { fillInput, fillInputText } from '../call/fill-input.ts'
import type { InputShare } from '../call/input-budget.ts'
import type { Engine } from '../engine.ts'
import { checkLease, lost } from './lease.ts'

/** As long as its caller still waits, nobody else was given the handle, to cancel it. Then so little time needs no other look. */
const UNNOTICED_MS = 100

/** The task whose input is filled. */
interface Filling {
  readonly engine: Engine
  readonly tool: Tool
  readonly refId: RefId
  readonly lease: Lease
}

/** What a handler is called with, and the entry that knows what guards it. */
export interface Filled {
  readonly args: JsonValue
  readonly entry: ProcessingEntry
}

/**
 * Puts values in the places of references, as long as the task is ours. Fills no more once the signal has aborted.
 * @param asText gives the input as the text of its JSON
 */
export async function fillReferences(
  { engine, tool, refId, lease }: Filling,
  entry: ProcessingEntry,
  input: GivenInput,
  asText: boolean,
  memory: InputShare,
  signal: AbortSignal,
): Promise<Filled> {
  let derived = entry
  const guard = async (derivedFrom: readonly SourceConstraint[]) => {
    if (derivedFrom.length === (entry.derivedFrom?.length ?? 0)) return
    const changed = await engine.entries.change(refId, { type: 'derive', owner: lease.owner, derivedFrom })
    if (changed.refused || changed.entry?.status !== 'processing') throw lost()
    derived = changed.entry
  }
  const begunAt = engine.clock.monotonic()
  const take = (bytes: number) => memory.take(bytes, signal)
  const fill = asText ? fillInputText : fillInput
  const args = await fill(engine, tool, entry, input, guard, take, signal)
  // Filling may take a while, and what another process did to the task meanwhile may not have been noticed yet.
  const isBrief = engine.clock.monotonic() - begunAt < UNNOTICED_MS && engine.errors.isAwaited(refId)
  if (!isBrief) await checkLease(engine, refId, lease)
  return { args, entry: derived }
}
