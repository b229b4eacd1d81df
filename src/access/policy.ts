import { InvalidArgument } from '../core/errors.ts'
import { Permission } from './permission.ts'

/** What each role may do with an entry. Stored on the entry. */
export interface AccessPolicy {
  readonly user: Permission
  readonly agent: Permission
}

const { FULL, READ, EXECUTE, NONE } = Permission

/** The presets. A policy of your own is `{ user: Permission.FULL, agent: Permission.READ }`. */
export const AccessPolicy = {
  /** Users may do everything; agents may read and use. The default. */
  public: { user: FULL, agent: READ | EXECUTE },
  /** Agents do not even learn that it exists. */
  userOnly: { user: FULL, agent: NONE },
  /** Agents may use the value in tools, but never see it. */
  executeOnly: { user: FULL, agent: EXECUTE },
  /** Everybody may read; nobody may use, change or delete. */
  readOnly: { user: READ, agent: READ },
} as const satisfies Record<string, AccessPolicy>

export function checkPolicy(policy: AccessPolicy): AccessPolicy {
  const valid = (rights: unknown) =>
    typeof rights === 'number' && Number.isInteger(rights) && rights >= NONE && rights <= FULL
  if (typeof policy === 'object' && policy !== null && valid(policy.user) && valid(policy.agent))
    return policy
  throw new InvalidArgument('A policy gives `user` and `agent` each a combination of Permission values.')
}
