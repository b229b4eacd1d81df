import * as z from 'zod'
import { describeActor, toActor } from '../../access/actor.ts'
import type { RefCache } from '../../ref-cache.ts'
import { ADAPTERS } from '../../ref-cache-adapters.ts'
import { EXPORT_FORMATS } from '../../values/export/formats.ts'
import { EXPORT_CACHED_RESULT_DESCRIPTION } from '../instructions.ts'
import { inFieldsRead } from '../present.ts'
import { toResourceUri } from '../resource-uri.ts'
import { toExportResult } from '../wire.ts'
import { define, type OwnTool, ofThisCache } from './tool.ts'

/** Where exports go. */
export interface ExportTarget {
  /** @returns the name of a new file */
  nameFor(label: string, extension: string): string
  write(file: {
    readonly name: string
    readonly content: AsyncIterable<string | Uint8Array>
    readonly owner?: string | undefined
    readonly signal?: AbortSignal | undefined
  }): Promise<{
    readonly name: string
    readonly uri: string
    readonly bytes: number
    readonly sha256: string
  }>
}

const exportArguments = z.strictObject({
  ref_id: z.string(),
  format: z.enum(EXPORT_FORMATS),
  name: z.string().optional(),
})

/** `export_cached_result`: there only where the operator allowed a folder. */
export function exportCachedResult(cache: RefCache, target: ExportTarget): OwnTool {
  return define({
    name: 'export_cached_result',
    title: 'Export cached result',
    countsAsCall: true,
    description: EXPORT_CACHED_RESULT_DESCRIPTION,
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    schema: exportArguments,
    run: async (args, { actor, signal, limits, isLocal = false, servesResources = false }) => {
      const opened = cache[ADAPTERS].openExport(args.ref_id, { format: args.format, actor, signal })
      const { content, rows, mimeType, label, extension, ...soFar } = await ofThisCache(
        cache,
        args.ref_id,
        opened,
      )
      const { uri, ...file } = await target.write({
        name: args.name ?? target.nameFor(label, extension),
        content,
        // Others have a folder of their own.
        owner: isLocal ? undefined : describeActor(toActor(actor)),
        signal,
      })
      const resource = servesResources ? { uri: toResourceUri(args.ref_id) } : undefined
      const link = isLocal ? { uri, mimeType, size: file.bytes } : resource
      const written = { ...file, rows: rows?.(), link, ...soFar }
      return inFieldsRead(toExportResult(written), limits?.reads)
    },
  })
}
