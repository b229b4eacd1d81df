import { isJsonObject, type JsonObject, type JsonValue } from '../../core/json.ts'
import type { Kind } from './known-servers.ts'
import type { Member } from './member.ts'
import { beginOf, type Named, type Naming, nameAll } from './names.ts'
import { asSelected, isShown, namesIn, settingOf } from './served-server.ts'
import { type ListedResources, UriRoutes } from './uris.ts'

/** A tool or a prompt of one of the servers. */
export interface Found extends Named {
  readonly member: Member
}

/** What all servers list, as one list; and whose each thing is. */
export class Catalog {
  readonly uris: UriRoutes
  readonly #keys: readonly string[]
  #tools: ReadonlyMap<string, Found> | undefined
  #prompts: ReadonlyMap<string, Found> | undefined

  constructor(
    private readonly members: readonly Member[],
    private readonly naming: Naming,
  ) {
    this.#keys = members.map(({ server }) => server.key)
    this.uris = new UriRoutes(this.#keys)
    this.uris.learn(this.#resources())
  }

  /** A list of some server is another one. */
  changed(kind: Kind): void {
    if (kind === 'tools') this.#tools = undefined
    else if (kind === 'prompts') this.#prompts = undefined
    else this.uris.learn(this.#resources())
  }

  tool(name: string): Found | undefined {
    return this.#namedTools.get(name)
  }

  prompt(name: string): Found | undefined {
    return this.#namedPrompts.get(name)
  }

  /** Servers whose tools, or prompts, nobody knows yet, and whose names begin like that one. */
  mayHave(kind: 'tools' | 'prompts', name: string): Member[] {
    return this.members.filter(
      ({ server, lists }) =>
        lists.of(kind) === undefined && name.startsWith(beginOf(server.key, this.naming)),
    )
  }

  /** What the names of a server's tools begin with. */
  beginOf({ server }: Member): string {
    return beginOf(server.key, this.naming)
  }

  /** The whole list of all servers. */
  list(kind: Kind): JsonValue[] {
    switch (kind) {
      case 'tools':
        return this.#listed(this.#namedTools, 'tools', (tool, name, { server }) =>
          asSelected(this.uris.withView(server.key, tool), name, server.tools),
        )
      case 'prompts':
        return this.#listed(this.#namedPrompts, 'prompts', (prompt, name) => ({ ...prompt, name }))
      default:
        return this.uris.merged(this.#resources(), kind)
    }
  }

  #listed(
    names: ReadonlyMap<string, Found>,
    kind: 'tools' | 'prompts',
    show: (item: JsonObject, name: string, member: Member) => JsonValue,
  ): JsonValue[] {
    const byMember = new Map(this.members.map(member => [member, byName(member.lists.of(kind) ?? [])]))
    return [...names].flatMap(([name, { member, name: own }]) => {
      const item = byMember.get(member)?.get(own)
      return item ? [show(item, name, member)] : []
    })
  }

  get #namedTools(): ReadonlyMap<string, Found> {
    this.#tools ??= nameAll(
      this.members.flatMap(member =>
        this.#named(member, 'tools')
          .filter(({ name }) => isShown(member.server.tools, name))
          .map(found => ({ ...found, wanted: settingOf(member.server.tools.rename, found.name) })),
      ),
      this.#keys,
      this.naming,
    )
    return this.#tools
  }

  get #namedPrompts(): ReadonlyMap<string, Found> {
    this.#prompts ??= nameAll(
      this.members.flatMap(member => this.#named(member, 'prompts')),
      this.#keys,
      this.naming,
    )
    return this.#prompts
  }

  #named(member: Member, kind: 'tools' | 'prompts'): Found[] {
    const { key } = member.server
    return [...new Set(namesIn(member.lists.of(kind) ?? []))].map(name => ({ member, key, name }))
  }

  #resources(): ListedResources[] {
    return this.members.map(({ server, lists }) => ({
      key: server.key,
      resources: lists.of('resources') ?? [],
      templates: lists.of('templates') ?? [],
    }))
  }
}

function byName(list: readonly JsonValue[]): Map<string, JsonObject> {
  return new Map(
    list.flatMap(one =>
      isJsonObject(one) && typeof one.name === 'string' ? [[one.name, one] as const] : [],
    ),
  )
}
