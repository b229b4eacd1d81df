import type { JsonObject, JsonValue } from '../core/json.ts'
import { stringifyJson } from '../core/json-text.ts'
import type { RefCache } from '../ref-cache.ts'
import { ADAPTERS } from '../ref-cache-adapters.ts'
import { type AuthorSchema, declared } from './schema.ts'

/** The characters of a tool as a model sees it in a list. */
export function lengthOfTool({ name, description, inputSchema }: JsonObject): number {
  return lengthOf(name) + lengthOf(description) + stringifyJson(inputSchema ?? null).length
}

export function lengthOf(text: JsonValue | undefined): number {
  return typeof text === 'string' ? text.length : 0
}

/** The input schema of a tool of this package, for an SDK that reads it when tools are listed: each time, all of the tool is counted as added. */
export function ownSchema(
  cache: RefCache,
  tool: JsonObject & { readonly inputSchema: JsonObject },
): AuthorSchema {
  return declared(() => {
    cache[ADAPTERS].countAdded(lengthOfTool(tool))
    return tool.inputSchema
  })
}

/** The same for a tool of the server, as it is listed instead of its own schema; `noted` more characters stand in its description. */
export function changedSchema(
  cache: RefCache,
  own: () => JsonObject,
  change: (own: JsonObject) => JsonObject,
  noted: number,
): AuthorSchema {
  return declared(() => {
    const schema = own()
    const listed = change(schema)
    const more = listed === schema ? 0 : stringifyJson(listed).length - stringifyJson(schema).length
    cache[ADAPTERS].countAdded(more + noted)
    return listed
  })
}
