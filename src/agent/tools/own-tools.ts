import type { Names } from '../../core/options.ts'
import type { RefCache } from '../../ref-cache.ts'
import { editCachedResult } from './edit.ts'
import { type ExportTarget, exportCachedResult } from './export.ts'
import { pollingTools } from './polling.ts'
import { queryCachedResult } from './query.ts'
import { type OwnTool, POLLING_OPTIONS, type PollingOptions } from './tool.ts'

/** Options of these tools, the same in every adapter. */
export interface OwnToolOptions extends PollingOptions {
  /**
   * A folder that `export_cached_result` may write new files to. Callers over HTTP have folders of their own in it.
   * @defaultValue none, and no such tool
   */
  exportDir?: string | undefined
}

export const OWN_TOOL_OPTIONS: Names<OwnToolOptions> = { ...POLLING_OPTIONS, exportDir: true }

/**
 * The tools of this package that every server lists beside its own: to follow references, and to work with what is behind them.
 * @param exports where the operator allowed files to be written
 */
export function ownTools(cache: RefCache, options: PollingOptions = {}, exports?: ExportTarget): OwnTool[] {
  const more = exports ? [exportCachedResult(cache, exports)] : []
  return [
    ...pollingTools(cache, options),
    queryCachedResult(cache, options),
    editCachedResult(cache),
    ...more,
  ]
}
