import type { JsonObject } from '../../../src/core/json.ts'
import type { AttachOptions } from '../../../src/mcp/index.ts'
import type { RefCache } from '../../../src/ref-cache.ts'
import type { RefCacheOptions } from '../../../src/ref-cache-options.ts'
import type { Store } from '../../../src/stores/store.ts'
import type { FakeClock } from '../../../src/testing/fake-clock.ts'
import type { Gates } from './gates.ts'
import type { Secret } from './secret.ts'

/** Who a person is, as the door's own way of vouching says it: an actor, or the claims of a token. */
export interface Identity {
  /** @defaultValue 'agent' */
  kind?: 'user' | 'agent'
  id?: string
  session?: string
  /** The organization, where the door carries one. */
  org?: string
}

/** What a person can do to a reference. Each door offers those that it has. */
export type Act =
  | 'get'
  | 'query'
  | 'edit'
  | 'export'
  | 'read'
  | 'status'
  | 'resolve'
  | 'exists'
  | 'cancel'
  | 'retry'
  | 'delete'
  | 'answer'
  | 'result'
  | 'list'

/** What people ask in SQL: it would tell all that there is. */
export const QUESTION = 'select * from columns'

/** What people change, and how they export. */
export const EDITS = [{ op: 'add', path: '/more', value: 1 }]

/** How a person asks for a value. */
export interface Asking {
  page?: number
  pageSize?: number
  maxSize?: number
  full?: boolean
  /** Until the task has ended, instead of not at all. */
  wait?: boolean
  format?: 'minimal' | 'standard' | 'full'
}

export interface Answer {
  /** All that was said, in one text: two answers with equal texts cannot be told apart. */
  readonly said: string
  /** The answer as the wire has it. */
  readonly body: JsonObject
  /** The code of an error. */
  readonly code: string | undefined
}

/** Somebody at a door. Remembers every word that was said, notifications, headers and causes of errors too. */
export interface Person {
  readonly heard: string[]
  call(tool: string, input?: unknown): Promise<Answer>
  /** With arguments as JSON text, which may be deeper than any `JSON.stringify` goes. */
  callWith(tool: string, json: string): Promise<Answer>
  act(act: Act, refId: unknown, asking?: Asking): Promise<Answer>
  edit(refId: unknown, edits: unknown): Promise<Answer>
}

/**
 * What a row may need of its door beyond the common.
 *
 * - `sessions`: the door tells sessions of one identity apart
 * - `namespaces`: a caller says which namespace a call belongs to
 * - `templates`: namespaces are made from the claims of a token
 * - `raw`: bytes of the attacker's own making can be sent
 * - `actors`: the attacker chooses the actor itself
 * - `questions`: tasks can ask whoever started them
 * - `lists`: a person can ask for the own tasks
 * - `listening`: a person can be told of changes
 * - `page`: people look at the live page
 * - `resources`: entries are resources, and values can be exported to a folder
 */
export type Ability =
  | 'sessions'
  | 'namespaces'
  | 'templates'
  | 'raw'
  | 'actors'
  | 'questions'
  | 'lists'
  | 'listening'
  | 'page'
  | 'resources'

/** What somebody is told as it happens. */
export interface Listening {
  heard(): string
  /** Ends it, and gives all that was heard. */
  end(): Promise<string>
}

/** One way in, to a cache that stands behind it. */
export interface Door {
  readonly acts: readonly Act[]
  readonly cache: RefCache
  /** Where exports go (`resources`). */
  readonly exportDir?: string
  enter(identity: Identity): Promise<Person>
  /** A call in a namespace of the caller's choice (`namespaces`). */
  callIn?(identity: Identity, namespace: string, tool: string, input: unknown): Promise<Answer>
  /** Listens to tasks (`listening`); resolves when that has begun. */
  listen?(identity: Identity, taskIds: readonly string[]): Promise<Listening>
  /** A request of the live page (`page`), below `/page/`. */
  look?(identity: Identity, path: string, init?: RequestInit): Promise<Response>
  /** A request with this body as it is (`raw`). */
  post?(identity: Identity, body: string): Promise<Answer>
  close(): Promise<void>
}

/** What a door is built on. */
export interface Site {
  readonly options: RefCacheOptions
  readonly secret: Secret
  readonly gates: Gates
  readonly attach: AttachOptions
}

export interface DoorKind {
  readonly name: string
  readonly abilities: readonly Ability[]
  open(site: Site): Promise<Door>
}

/** Where an attack takes place. */
export interface Scene {
  readonly door: Door
  /** Acts of the host program. */
  readonly host: RefCache
  readonly clock: FakeClock
  readonly secret: Secret
  readonly gates: Gates
  readonly store: Store
  readonly storeName: StoreName
  /** Owns the secret. What she hears is hers. */
  readonly alice: Person
  /** Must not learn it. */
  readonly mallory: Person
  /** Another person who must not learn it. */
  attacker(identity: Identity): Promise<Person>
  /** Another person who may. */
  victim(identity: Identity): Promise<Person>
  /** References of the right form that nobody ever gave out: there is nothing to follow. */
  readonly madeUp: Set<string>
  /** What somebody learned who is no `Person`: the listeners of events, a log. */
  overheard(words: string): void
}

export type StoreName = 'memory' | 'sqlite' | 'redis'

/** A row of the table. */
export interface Attack {
  readonly id: string
  /** What the attacker tries. */
  readonly tries: string
  /** The file that would have to be wrong for it to leak. */
  readonly guardedBy: `src/${string}.ts`
  readonly needs?: readonly Ability[]
  /** Where the kind of store makes no difference, one will do. */
  readonly stores?: readonly StoreName[]
  /** How the server is set up. */
  readonly attach?: AttachOptions
  readonly cache?: RefCacheOptions
  /** False where no identity is involved, so that the row holds even at a door that trusts everybody. */
  readonly aboutIdentity?: false
  /** Fails where the attack works; that nothing leaked in words is checked for all rows alike. */
  attempt(scene: Scene): Promise<void>
}
