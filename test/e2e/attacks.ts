import type { Attack } from './attacks/door.ts'
import { CALLING } from './attacks/rows-calling.ts'
import { COMPUTING } from './attacks/rows-computing.ts'
import { CRAFTING } from './attacks/rows-crafting.ts'
import { LOOKING } from './attacks/rows-looking.ts'
import { MAKING } from './attacks/rows-making.ts'
import { NAMING } from './attacks/rows-naming.ts'
import { POSING } from './attacks/rows-posing.ts'
import { WATCHING } from './attacks/rows-watching.ts'

/**
 * The table of attacks. Each row says what the attacker tries, and which file would have to be wrong for it to work; every row
 * is run on each store through each door that it applies to (attacks-*.test.ts; on durable stores, MCP's doors are slow). All that an attacker hears is searched for the
 * secret, and all references that it comes to know of are followed.
 */
export const ATTACKS: readonly Attack[] = [
  // With the name of something that is not the attacker's.
  ...NAMING,
  // With the arguments of somebody else, and references in them.
  ...CALLING,
  // As somebody else, or from somewhere else.
  ...POSING,
  // By computing with what may be used, but not seen.
  ...COMPUTING,
  // By making copies, files and resources of it.
  ...MAKING,
  // From the side: questions, lists, notices, and what is there for operators.
  ...WATCHING,
  // By looking at the live page.
  ...LOOKING,
  // With inputs, values and names that are made to break things.
  ...CRAFTING,
]
