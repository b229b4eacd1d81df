import { InvalidArgument } from '../core/errors.ts'
import { type ActorPattern, checkPattern } from './pattern.ts'
import { Permission } from './permission.ts'

/**
 * Who may do what with an entry, beside what its namespace demands. Stored on the entry.
 *
 * `denied` and `boundSession` refuse, whatever else would allow. After them, and after the namespace, any of `allowed`,
 * `owner` and the role can grant a right.
 */
export interface AccessPolicy {
  /** What every user may do. @defaultValue Permission.FULL */
  readonly user?: Permission | undefined
  /** What every agent may do. @defaultValue Permission.READ | Permission.EXECUTE */
  readonly agent?: Permission | undefined
  /** One actor, by role and id: `user:alice`. */
  readonly owner?: string | undefined
  /** @defaultValue Permission.FULL */
  readonly ownerPermissions?: Permission | undefined
  readonly allowed?: readonly ActorPattern[] | undefined
  /** What those who are `allowed` may do. @defaultValue Permission.FULL */
  readonly allowedPermissions?: Permission | undefined
  readonly denied?: readonly ActorPattern[] | undefined
  /** Only requests of this session, of any actor. */
  readonly boundSession?: string | undefined
}

const { FULL, READ, WRITE, EXECUTE, NONE } = Permission

/** The presets. A policy of your own is `{ agent: Permission.EXECUTE, owner: 'user:alice' }`. */
export const AccessPolicy = {
  /** Users may do everything; agents may read and use. The default. */
  public: { user: FULL, agent: READ | EXECUTE },
  /** Agents do not even learn that it exists. */
  userOnly: { user: FULL, agent: NONE },
  /** Agents may use the value in tools, but never see it. */
  executeOnly: { user: FULL, agent: EXECUTE },
  /** All may read and use; nobody may change or delete. */
  readOnly: { user: READ, agent: READ },
  /** For shared work: users may add to it; nobody changes or deletes what others rely on. */
  shared: { user: READ | WRITE | EXECUTE, agent: READ | EXECUTE },
} as const satisfies Record<string, AccessPolicy>

/** What the roles may do where a policy does not say. */
export const ROLE_DEFAULTS = AccessPolicy.public

const OWNER = /^(?:user|agent):[^\p{Cc}]{1,512}$/u

const CHECKS: { [Field in keyof AccessPolicy]-?: (value: unknown) => boolean } = {
  user: isPermission,
  agent: isPermission,
  owner: value => typeof value === 'string' && OWNER.test(value),
  ownerPermissions: isPermission,
  allowed: isPatterns,
  allowedPermissions: isPermission,
  denied: isPatterns,
  boundSession: value => typeof value === 'string' && value !== '',
}

/** The policy with its set fields only. @throws InvalidArgument for a field that is unknown or malformed */
export function checkPolicy(policy: AccessPolicy): AccessPolicy {
  if (typeof policy !== 'object' || policy === null) throw new InvalidArgument('A policy is an object.')
  const fields = Object.entries(policy).filter(([, value]) => value !== undefined)
  for (const [name, value] of fields) {
    const valid = Object.hasOwn(CHECKS, name) && CHECKS[name as keyof AccessPolicy](value)
    if (!valid) throw new InvalidArgument(malformed(name))
  }
  return Object.fromEntries(fields)
}

function malformed(name: string): string {
  return Object.hasOwn(CHECKS, name)
    ? `The ${name} of a policy is malformed: permissions are Permission values, an owner is 'user:<id>' or 'agent:<id>', allowed and denied are lists of actor patterns, boundSession is a session's id.`
    : `A policy has no field '${name.slice(0, 50)}'. It has ${Object.keys(CHECKS).join(', ')}.`
}

function isPermission(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= NONE && value <= FULL
}

function isPatterns(value: unknown): boolean {
  if (!Array.isArray(value)) return false
  for (const pattern of value) checkPattern(pattern)
  return true
}
