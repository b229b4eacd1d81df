import type { Entry } from '../../core/entry.ts'
import type { Tool } from '../../core/tool.ts'
import type { Engine } from '../engine.ts'
import { start } from '../run/dispatch.ts'
import type { DraftedCall } from './draft.ts'
import type { Run } from './shared-runs.ts'

/**
 * An entry of a caller's own that ends as `followed` does, so that two native tasks are never one. The work still runs once, for as
 * long as one of them is not cancelled.
 */
export async function followInOwnEntry(
  engine: Engine,
  tool: Tool,
  { draft, encoded, encodeInput }: DraftedCall,
  { refId: follows }: Entry,
  run: Run | undefined,
): Promise<Entry> {
  // As durable as what follows it.
  await engine.lateClaims.storeNow(follows)
  // Identical calls find the work itself.
  const { key: _, tags: __, ...unkeyed } = draft()
  // Where the other process is lost, the work begins again with this input.
  const input = encoded ?? (await encodeInput())
  const claimed = await engine.store.claim({ ...unkeyed, follows }, engine.clock.now(), { input })
  // Where that has ended, or has too many, there is nothing to hand on.
  await engine.entries.change(follows, { type: 'gain-follower', refId: unkeyed.refId })
  if (run) engine.sharedRuns.share(run, unkeyed.refId)
  if (claimed.entry.status === 'pending') start(engine, tool, claimed.entry)
  return claimed.entry
}
