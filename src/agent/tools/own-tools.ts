import type { RefCache } from '../../ref-cache.ts'
import { editCachedResult } from './edit.ts'
import { type PollingOptions, type PollingTool, pollingTools } from './polling.ts'
import { queryCachedResult } from './query.ts'

/** The tools of this package that every server lists beside its own: to follow references, and to work with what is behind them. */
export function ownTools(cache: RefCache, options: PollingOptions = {}): PollingTool[] {
  return [...pollingTools(cache, options), queryCachedResult(cache, options), editCachedResult(cache)]
}
