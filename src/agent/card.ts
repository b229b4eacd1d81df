import { isJsonObject, type JsonObject } from '../core/json.ts'
import { NOT_TO_BE_KEPT } from './resources.ts'
import type { Capabilities } from './tasks/capabilities.ts'

/** The progress card: an MCP App (SEP-1865) that a client shows beside the call of a tool, where it shows apps. */

const APPS_EXTENSION = 'io.modelcontextprotocol/ui'

const MIME_TYPE = 'text/html;profile=mcp-app'

/** What the cache's own tools are called at a server: the card calls them. */
export interface CardTools {
  readonly get: string
  readonly cancel: string
  readonly retry: string
}

/** Where a server has the card. A server behind it may have one of its own. */
export function cardUri(cacheName: string): string {
  return `ui://mcp-refcache/${encodeURIComponent(cacheName)}/card`
}

/** Whether a client that declares this shows cards. All others are told nothing of them. */
export function showsCards(capabilities: Capabilities | undefined): boolean {
  const declared = (capabilities?.extensions as JsonObject | undefined)?.[APPS_EXTENSION]
  return isJsonObject(declared) && Array.isArray(declared.mimeTypes) && declared.mimeTypes.includes(MIME_TYPE)
}

/** A listed tool with the card beside its calls. One that says itself how it is shown stays as it is. */
export function withCard(tool: JsonObject, uri: string): JsonObject {
  const meta = isJsonObject(tool._meta) ? tool._meta : {}
  if ('ui' in meta || 'ui/resourceUri' in meta) return tool
  return { ...tool, _meta: { ...meta, ui: { resourceUri: uri } } }
}

/** The answer to `resources/read` for the card. Loaded when the first client asks. */
export async function readCard(uri: string, tools: CardTools, isStateless: boolean): Promise<JsonObject> {
  const { cardHtml } = await import('./card-html.ts')
  // In a script element of JSON, nothing but `<` could end it.
  const named = JSON.stringify(tools).replaceAll('<', '\\u003c')
  const text = cardHtml.replace('id="tools">null<', () => `id="tools">${named}<`)
  const ui = { csp: NO_DOMAINS, prefersBorder: false }
  return {
    contents: [{ uri, mimeType: MIME_TYPE, text, _meta: { ui } }],
    ...(isStateless ? NOT_TO_BE_KEPT : {}),
  }
}

/** The card brings all that it needs, and asks its host alone. */
const NO_DOMAINS: JsonObject = {
  connectDomains: [],
  resourceDomains: [],
  frameDomains: [],
  baseUriDomains: [],
}
