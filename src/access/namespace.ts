import { type Duration, toLimit } from '../core/duration.ts'
import { InvalidArgument } from '../core/errors.ts'
import type { Actor } from './actor.ts'
import { type ActorPattern, checkPattern, matches } from './pattern.ts'
import { AccessPolicy, checkPolicy } from './policy.ts'

/**
 * An isolation scope: `public`; `org:<id>`, `user:<id>`, `session:<id>`, or several of these in this order, joined by
 * colons; `custom:<name>` or `shared:<name>`.
 */
export type Namespace = string

export type NamespaceKind = 'public' | 'org' | 'user' | 'session' | 'custom' | 'shared'

/** What a namespace demands, and the defaults of its entries. */
export interface NamespaceRule {
  /** Whether the actor is a member. Others do not even learn what the namespace holds. */
  admits(who: Actor): boolean
  /** How long entries are kept; null for ever. Absent: the cache's `defaultTtl`. */
  readonly ttl?: Duration | null | undefined
  readonly policy: AccessPolicy
}

/** Says what each namespace means. */
export interface NamespaceResolver {
  /** @throws InvalidArgument for a malformed name */
  resolve(namespace: Namespace): NamespaceRule
}

/** What can be said of one kind of namespace, or of a single one. */
export interface NamespaceSettings {
  /** Who is inside of a `custom:` or `shared:` namespace. @defaultValue nobody */
  members?: readonly ActorPattern[] | undefined
  ttl?: Duration | null | undefined
  policy?: AccessPolicy | undefined
}

/** By kind (`session`) or full name (`shared:team`); what is said of the full name wins. */
export type NamespaceOptions = Readonly<Record<string, NamespaceSettings>>

/** Sessions are short: an hour at most, unless told otherwise. The others keep entries as long as the cache does. */
const SESSION_TTL = 3_600_000

const POLICIES: { readonly [Kind in NamespaceKind]: AccessPolicy } = {
  public: AccessPolicy.public,
  user: AccessPolicy.public,
  session: AccessPolicy.public,
  org: AccessPolicy.shared,
  custom: AccessPolicy.shared,
  shared: AccessPolicy.shared,
}

const KINDS = Object.keys(POLICIES) as NamespaceKind[]

/** The rules that hold unless others are given. Names are compared whole. */
export function namespaceRules(
  options: NamespaceOptions = {},
  defaultTtl: number | undefined = undefined,
): NamespaceResolver {
  for (const [name, settings] of Object.entries(options)) checkSettings(name, settings)
  const ruleOf = (namespace: Namespace): NamespaceRule => {
    const parsed = parse(namespace)
    const { members, ttl, policy } = { ...own(options, parsed.kind), ...own(options, namespace) }
    const sessionTtl = Math.min(defaultTtl ?? SESSION_TTL, SESSION_TTL)
    return {
      admits: who => admits(parsed, who, members),
      ttl: ttl === undefined && parsed.kind === 'session' ? sessionTtl : ttl,
      policy: policy ?? POLICIES[parsed.kind],
    }
  }
  // Each decision asks several times, mostly for the same few.
  const rules = new Map<Namespace, NamespaceRule>()
  return {
    resolve(namespace) {
      const known = rules.get(namespace)
      if (known) return known
      const rule = ruleOf(namespace)
      if (rules.size >= MAX_REMEMBERED) rules.clear()
      rules.set(namespace, rule)
      return rule
    },
  }
}

const MAX_REMEMBERED = 1_000

function own(options: NamespaceOptions, name: string): NamespaceSettings {
  return (Object.hasOwn(options, name) ? options[name] : undefined) ?? {}
}

function checkSettings(name: string, { members, policy, ttl }: NamespaceSettings): void {
  const kind = KINDS.find(one => one === name) ?? parse(name).kind
  if (members !== undefined && kind !== 'custom' && kind !== 'shared') {
    throw new InvalidArgument(
      `Members are for custom: and shared: namespaces; '${name}' follows from who asks.`,
    )
  }
  members?.forEach(checkPattern)
  if (policy) checkPolicy(policy)
  if (ttl !== undefined) toLimit(ttl, `The ttl of '${name}'`)
}

/** What a namespace's name says. */
interface Parsed {
  readonly kind: NamespaceKind
  readonly org?: string
  readonly user?: string
  readonly session?: string
}

const ID = /^[^:\s\p{Cc}]{1,256}$/u
const LEVELS = ['org', 'user', 'session'] as const

function parse(namespace: Namespace): Parsed {
  if (namespace === 'public') return { kind: 'public' }
  const words = typeof namespace === 'string' && namespace.length <= 1_000 ? namespace.split(':') : []
  const [kind, name = ''] = words
  if (words.length === 2 && (kind === 'custom' || kind === 'shared') && ID.test(name)) return { kind }
  const levels: { org?: string; user?: string; session?: string } = {}
  let narrowest: NamespaceKind | undefined
  for (const level of LEVELS) {
    if (words[0] !== level || !ID.test(words[1] ?? '')) continue
    levels[level] = words[1] as string
    narrowest = level
    words.splice(0, 2)
  }
  if (narrowest && words.length === 0) return { kind: narrowest, ...levels }
  throw new InvalidArgument(
    "A namespace is 'public', 'org:<id>', 'user:<id>', 'session:<id>' or a combination of these three in this order ('user:<id>:session:<id>'), 'custom:<name>' or 'shared:<name>'; an id has no colon, white space or control character.",
  )
}

function admits(
  { kind, org, user, session }: Parsed,
  who: Actor,
  members: readonly ActorPattern[] = [],
): boolean {
  if (kind === 'custom' || kind === 'shared') return members.some(pattern => matches(pattern, who))
  return (
    (org === undefined || (who.orgs ?? []).includes(org)) &&
    (user === undefined || who.id === user) &&
    (session === undefined || who.sessionId === session)
  )
}
