import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'

/** What one server lists of resources. */
export interface ListedResources {
  readonly key: string
  readonly resources: readonly JsonValue[]
  readonly templates: readonly JsonValue[]
}

/** URIs that a server has linked to without listing them. */
const MAX_LINKED = 10_000
/** How the URIs of views begin (SEP-1865). */
const VIEW = 'ui://'
/** Where a tool named its view before that stood in `ui`. */
const OLD_VIEW_META = 'ui/resourceUri'

/**
 * Whose a URI is. Each resource keeps its URI. Where two servers have the same one, by a list or a template, the first in the file keeps it, and that
 * of the other one has the server's name in its scheme: `other+file:///a.txt`. Such a URI leads to its server for every resource.
 *
 * A view of an MCP App always has its server's name: `ui://other+app/view`. Clients show it what the server's tools answer, so no other
 * server may ever have it under that URI.
 */
export class UriRoutes {
  readonly #byScheme = new Map<string, string>()
  readonly #schemes = new Map<string, string>()
  /** What each server has, in the order of the file. */
  #lists: Array<{ readonly key: string; readonly uris: ReadonlySet<string>; readonly begins: string[] }> = []
  readonly #linked = new Map<string, string>()

  /** @param keys of the servers, in the order of the file */
  constructor(keys: readonly string[]) {
    for (const key of keys) {
      const scheme = unused(schemeOf(key), this.#byScheme)
      this.#byScheme.set(scheme, key)
      this.#schemes.set(key, scheme)
    }
  }

  /** @param lists in the order of the file */
  learn(lists: readonly ListedResources[]): void {
    this.#lists = lists.map(({ key, resources, templates }) => ({
      key,
      uris: new Set(textsAt(resources, 'uri')),
      begins: textsAt(templates, 'uriTemplate').flatMap(template => template.split('{', 1)[0] || []),
    }))
  }

  /** A server has shown a URI in an answer: whoever reads it means that server, if nobody lists it. */
  linked(key: string, uri: string): void {
    if (this.#ownerOf(uri) !== undefined) return
    this.#linked.set(uri, key)
    if (this.#linked.size > MAX_LINKED) this.#linked.delete(this.#linked.keys().next().value ?? '')
  }

  /** The server that a URI of the client's leads to, and what that calls it. No key: any server may have it. */
  inward(uri: string): { key: string | undefined; uri: string } {
    const owner = this.#ownerOf(uri)
    if (owner !== undefined && !uri.startsWith(VIEW)) return { key: owner, uri }
    const [, view = '', scheme = '', own = ''] = /^(ui:\/\/)?([a-z][a-z0-9-]*)\+(.+)$/is.exec(uri) ?? []
    const key = this.#byScheme.get(scheme.toLowerCase())
    return key === undefined ? { key: owner, uri } : { key, uri: view + own }
  }

  /** What the client calls a URI, or a template, of a server. */
  outward(key: string, uri: string): string {
    const scheme = this.#schemes.get(key)
    if (uri.startsWith(VIEW)) return `${VIEW}${scheme}+${uri.slice(VIEW.length)}`
    const owner = this.#ownerOf(uri)
    return owner === undefined || owner === key ? uri : `${scheme}+${uri}`
  }

  /** A listed tool of a server, with the URI that its view has at the client. */
  withView(key: string, tool: JsonObject): JsonObject {
    const { _meta: meta } = tool
    if (!isJsonObject(meta)) return tool
    const { ui, [OLD_VIEW_META]: old } = meta
    const uriOf = (uri: JsonValue | undefined) => (typeof uri === 'string' ? this.outward(key, uri) : uri)
    const changed: JsonObject = {}
    if (isJsonObject(ui) && ui.resourceUri !== undefined)
      changed.ui = { ...ui, resourceUri: uriOf(ui.resourceUri) as JsonValue }
    if (old !== undefined) changed[OLD_VIEW_META] = uriOf(old) as JsonValue
    return Object.keys(changed).length === 0 ? tool : { ...tool, _meta: { ...meta, ...changed } }
  }

  /** The whole list of all servers' resources or templates. */
  merged(lists: readonly ListedResources[], kind: 'resources' | 'templates'): JsonValue[] {
    const at = kind === 'resources' ? 'uri' : 'uriTemplate'
    return lists.flatMap(list =>
      list[kind].map(one => {
        const uri = isJsonObject(one) ? one[at] : undefined
        return typeof uri === 'string' ? { ...(one as JsonObject), [at]: this.outward(list.key, uri) } : one
      }),
    )
  }

  #ownerOf(uri: string): string | undefined {
    const first = this.#lists.find(
      ({ uris, begins }) => uris.has(uri) || begins.some(begin => uri.startsWith(begin)),
    )
    return first?.key ?? this.#linked.get(uri)
  }
}

/** Schemes have no underscores, and begin with a letter. */
function schemeOf(key: string): string {
  return key
    .toLowerCase()
    .replace(/_/g, '-')
    .replace(/^(?![a-z])/, 's')
}

function unused(wanted: string, taken: ReadonlyMap<string, unknown>): string {
  let free = wanted
  for (let number = 2; taken.has(free); number++) free = `${wanted}-${number}`
  return free
}

function textsAt(list: readonly JsonValue[], name: string): string[] {
  return list.flatMap(one => (isJsonObject(one) && typeof one[name] === 'string' ? [one[name]] : []))
}
