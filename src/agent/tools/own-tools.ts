import type { RefCache } from '../../ref-cache.ts'
import { editCachedResult } from './edit.ts'
import { type ExportTarget, exportCachedResult } from './export.ts'
import { type PollingOptions, type PollingTool, pollingTools } from './polling.ts'
import { queryCachedResult } from './query.ts'

/**
 * The tools of this package that every server lists beside its own: to follow references, and to work with what is behind them.
 * @param exports where the operator allowed files to be written
 */
export function ownTools(
  cache: RefCache,
  options: PollingOptions = {},
  exports?: ExportTarget,
): PollingTool[] {
  const more = exports ? [exportCachedResult(cache, exports)] : []
  return [
    ...pollingTools(cache, options),
    queryCachedResult(cache, options),
    editCachedResult(cache),
    ...more,
  ]
}
