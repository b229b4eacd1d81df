import type { ToolOptions } from '../../core/tool-options.ts'
import { PROXIED_RESULT } from '../../values/result-projections.ts'
import type { ToolSettings } from '../settings.ts'
import { type CallInput, callSchema } from './call-input.ts'
import type { KnownTool } from './catalog.ts'

/** What the cache calls a tool. @param upstream stands for the wrapped server and its credentials */
export function cacheName(tool: string, upstream: string): string {
  return `${tool}@${upstream}`
}

/** How calls of a tool of the wrapped server go through the cache: what the server declares of it, and what the settings say. */
export function cachedOptions(
  name: string,
  upstream: string,
  { readOnly, idempotent, inputSchema, outputSchema, resultLimit }: KnownTool,
  {
    asyncTimeout,
    hardTimeout,
    ttl,
    maxSize,
    inline,
    strategy,
    resolveRefs,
    follow,
    invalidates = [],
  }: ToolSettings,
): ToolOptions<CallInput> & { readonly name: string } {
  return {
    name: cacheName(name, upstream),
    replace: true,
    projection: PROXIED_RESULT,
    verbatim: true,
    resolveRefs: resolveRefs === false ? false : ['arguments'],
    ...(inputSchema === undefined ? {} : { inputJsonSchema: callSchema(inputSchema) }),
    // It is only written out.
    sharedInput: true,
    readOnly,
    invalidates: invalidates.map(outdated => cacheName(outdated, upstream)),
    // Another wrapper of the same server may take over what this one leaves behind. It goes on with the same job.
    idempotent: readOnly || idempotent || follow !== undefined,
    preview: {
      ...(maxSize === undefined ? {} : { maxSize }),
      ...(strategy === undefined ? {} : { strategy }),
      ...(inline === undefined ? {} : { inlineLimit: inline }),
      ...(resultLimit === undefined ? {} : { maxResultCharacters: resultLimit }),
    },
    ...(asyncTimeout === undefined ? {} : { asyncTimeout }),
    ...(hardTimeout === undefined ? {} : { hardTimeout }),
    ...(ttl === undefined ? {} : { ttl }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
  }
}
