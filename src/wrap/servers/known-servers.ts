import type { JsonObject, JsonValue } from '../../core/json.ts'

/** What servers list. */
export type Kind = 'tools' | 'prompts' | 'resources' | 'templates'

export const KINDS: readonly Kind[] = ['tools', 'prompts', 'resources', 'templates']

/** What a server has said of itself and listed when it was last asked. */
export interface KnownServer {
  introduction?: JsonObject
  lists: { [kind in Kind]?: readonly JsonValue[] }
}

/** What is known of servers that do not run, by their scopes: as long as the process, or beyond. */
export interface KnownServers {
  of(scope: string): KnownServer | undefined
  keep(scope: string, server: KnownServer): void
}

/** Forgets all with the process. */
export class KnownInMemory implements KnownServers {
  readonly #servers = new Map<string, KnownServer>()

  of(scope: string): KnownServer | undefined {
    return this.#servers.get(scope)
  }

  keep(scope: string, server: KnownServer): void {
    this.#servers.set(scope, server)
  }
}
