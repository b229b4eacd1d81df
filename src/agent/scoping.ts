import type { Namespace } from '../access/namespace.ts'
import { Permission } from '../access/permission.ts'
import type { AccessPolicy } from '../access/policy.ts'
import { InvalidArgument, PermissionDenied } from '../core/errors.ts'
import type { Names } from '../core/options.ts'
import type { CallOptions } from '../flow/call/options.ts'
import { type Caller, isOneClient, realSession, toNamespaceId } from './identity.ts'

/**
 * Where the results of a tool belong. In templates, `{user_id}`, `{org_id}` and `{session_id}` are those of the
 * caller, and any other name is a claim of its token; a caller of whom one is not known is refused.
 */
export interface Scoping {
  /**
   * Name one, `'public'` say, to let callers share results over HTTP.
   * @defaultValue private to an authenticated subject, else to the session; `'public'` on stdio
   */
  namespace?: Namespace | undefined
  /** A namespace for each caller: `'org:{org_id}:user:{user_id}'`. */
  namespaceTemplate?: Template | undefined
  /**
   * The owner of each result, by role and id: `'user:{user_id}'` is the person at the host program; `'agent:{user_id}'` is the
   * caller itself, since MCP callers are agents unless `actorOf` says otherwise. Such a caller may steer and delete its
   * results; what it sees of them is what the policy gives to agents, unless that sets `ownerPermissions`.
   */
  ownerTemplate?: Template | undefined
  /**
   * Whether results can be followed in the session of the call only. On stdio that is this process. Where there is no
   * session, as over HTTP with revision 2026-07-28, such a tool refuses to be called.
   * @defaultValue false
   */
  sessionScoped?: boolean | undefined
}

export const SCOPING: Names<Scoping> = {
  namespace: true,
  namespaceTemplate: true,
  ownerTemplate: true,
  sessionScoped: true,
}

/** @throws InvalidArgument */
export function checkScoping({ namespace, namespaceTemplate, ownerTemplate }: Scoping): void {
  if (namespace !== undefined && namespaceTemplate !== undefined) {
    throw new InvalidArgument('Give either a namespace or a namespaceTemplate.')
  }
  if (namespaceTemplate !== undefined) checkTemplate(namespaceTemplate, 'A namespaceTemplate')
  if (ownerTemplate === undefined) return
  checkTemplate(ownerTemplate, 'An ownerTemplate')
  if (!/^(?:user|agent):/.test(ownerTemplate)) {
    throw new InvalidArgument("An ownerTemplate begins with 'user:' or 'agent:'.")
  }
}

/** Where a tool's results belong, and what its policy says of owners. */
export interface Placing extends Scoping {
  readonly ownerPermissions?: Permission | undefined
}

/** What is said for the tool wins over what is said for all of them. */
export function scopingOf(tool: Scoping & { policy?: AccessPolicy | undefined }, all: Scoping): Placing {
  const { namespace, namespaceTemplate } = tool
  const ownerTemplate = tool.ownerTemplate ?? all.ownerTemplate
  const placed = namespace !== undefined || namespaceTemplate !== undefined ? tool : all
  return {
    ...(placed.namespace === undefined ? {} : { namespace: placed.namespace }),
    ...(placed.namespaceTemplate === undefined ? {} : { namespaceTemplate: placed.namespaceTemplate }),
    ...(ownerTemplate === undefined ? {} : { ownerTemplate }),
    ...(tool.policy?.ownerPermissions === undefined
      ? {}
      : { ownerPermissions: tool.policy.ownerPermissions }),
    sessionScoped: tool.sessionScoped ?? all.sessionScoped ?? false,
  }
}

/** Where one call's result goes, and who may follow it. @throws PermissionDenied for a caller of whom too little is known */
export function placeCall(
  scoping: Placing,
  caller: Caller,
): Pick<CallOptions, 'namespace' | 'policy' | 'memoize' | 'shareRuns'> {
  const { namespace, namespaceTemplate } = scoping
  const policy = policyOf(scoping, caller)
  const guarded = { ...(policy === undefined ? {} : { policy }), shareRuns: isOneClient(caller) }
  if (namespace !== undefined) return { namespace, ...guarded }
  const place =
    namespaceTemplate === undefined ? caller.namespace : fillTemplate(namespaceTemplate, factsOf(caller))
  return { namespace: place, ...guarded, ...(caller.ambiguous ? { memoize: false } : {}) }
}

function policyOf(
  { ownerTemplate, sessionScoped, ownerPermissions }: Placing,
  caller: Caller,
): AccessPolicy | undefined {
  if (ownerTemplate === undefined && !sessionScoped) return undefined
  return {
    ...(ownerTemplate === undefined ? {} : { owner: fillTemplate(ownerTemplate, factsOf(caller)) }),
    // To own a result is no way around what its policy hides from agents.
    ...(ownerTemplate?.startsWith('agent:') && ownerPermissions === undefined
      ? { ownerPermissions: Permission.UPDATE | Permission.DELETE }
      : {}),
    ...(sessionScoped ? { boundSession: sessionOf(caller) } : {}),
  }
}

function sessionOf({ actor }: Caller): string {
  const session = realSession(actor)
  if (session !== undefined) return session
  throw new PermissionDenied(
    'This tool keeps its results to one session, and this connection has none: over HTTP, only clients of revision 2025-11-25 with a session can call it.',
  )
}

function factsOf({ actor, ambiguous, claims }: Caller): (name: string) => string | undefined {
  return name => {
    // A client through which many users come is none of them.
    if (name === 'user_id' || name === 'sub') return ambiguous ? undefined : actor.id
    if (name === 'org_id') return actor.orgs?.[0]
    if (name === 'session_id') return realSession(actor)
    const claim = Object.hasOwn(claims, name) ? claims[name] : undefined
    return typeof claim === 'string' || typeof claim === 'number' ? toNamespaceId(String(claim)) : undefined
  }
}

/** A text with gaps for what is known of the caller: `'org:{org_id}:user:{user_id}'`. */
export type Template = string

const GAP = /\{([a-z][a-z0-9_]{0,63})\}/gi

/** A gap is all there is between two colons, or two names could be divided between two gaps in more than one way. */
const SEGMENT = /^(?:\{[a-z][a-z0-9_]{0,63}\}|[^{}]+)$/i

/** @throws InvalidArgument where a brace is not part of such a gap */
export function checkTemplate(template: Template, what: string): Template {
  if (typeof template === 'string' && template.split(':').every(part => SEGMENT.test(part))) return template
  throw new InvalidArgument(
    `${what} is a text such as 'user:{user_id}': between two colons, {name} stands for something that is known of the caller.`,
  )
}

/**
 * Fills the gaps with what `factOf` knows, which has to be escaped: nobody's name may read like more than one name.
 *
 * @throws PermissionDenied where a fact is missing: an empty text in its place would be somebody else's namespace
 */
export function fillTemplate(template: Template, factOf: (name: string) => string | undefined): string {
  return template.replace(GAP, (_, name: string) => {
    const fact = factOf(name)
    if (fact !== undefined && fact !== '') return fact
    throw new PermissionDenied(
      `This tool needs to know the ${name} of its caller, and its connection has no token that says so.`,
    )
  })
}
