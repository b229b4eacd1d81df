import { SERVER_INSTRUCTIONS } from '../../agent/instructions.ts'
import { CORE_TASKS, TASKS_EXTENSION } from '../../agent/tasks/capabilities.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { RpcRequest } from '../rpc.ts'
import type { ToolCatalog } from '../tools/catalog.ts'

/** The revision of sessions that have tasks. */
export const CORE_REVISION = '2025-11-25'

/** The server's initialize or discover result, with our capabilities and instructions added. */
export function withCapabilities(
  { method }: RpcRequest,
  value: JsonObject,
  catalog: ToolCatalog,
): JsonObject {
  const { instructions } = value
  const own = typeof instructions === 'string' && instructions !== '' ? [instructions] : []
  const declared = objectAt(value, 'capabilities')
  const capabilities = { ...declared, tools: declared.tools ?? {}, resources: declared.resources ?? {} }
  return {
    ...value,
    capabilities:
      method === 'server/discover'
        ? { ...capabilities, extensions: { ...objectAt(declared, 'extensions'), [TASKS_EXTENSION]: {} } }
        : value.protocolVersion === CORE_REVISION
          ? { ...capabilities, tasks: withCoreTasks(objectAt(declared, 'tasks')) }
          : capabilities,
    ...(catalog.listing.notes
      ? {}
      : { instructions: inOrder(own, instructionsFor(catalog, declared.tools !== undefined), catalog) }),
  }
}

function inOrder(own: readonly string[], ours: string, { listing }: ToolCatalog): string {
  return (listing.instructionsFirst ? [ours, ...own] : [...own, ours]).join('\n\n')
}

const NOT_LISTED_YET =
  ' Where the server has a tool of such a name itself, the one for references is called refcache_ and that name.'

/** The names of our tools may be taken, which is known once the server has listed its own. */
function instructionsFor({ names, complete }: ToolCatalog, hasTools: boolean): string {
  return complete || !hasTools ? names.inText(SERVER_INSTRUCTIONS) : SERVER_INSTRUCTIONS + NOT_LISTED_YET
}

/** What the server can do as tasks beside running tools is its own. */
function withCoreTasks(declared: JsonObject): JsonObject {
  const requests = objectAt(declared, 'requests')
  const tools = { ...objectAt(requests, 'tools'), ...CORE_TASKS.requests.tools }
  return { ...declared, ...CORE_TASKS, requests: { ...requests, tools } }
}

function objectAt(value: JsonObject, name: string): JsonObject {
  const found = value[name]
  return isJsonObject(found) ? found : {}
}
