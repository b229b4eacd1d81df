import { InvalidArgument } from '../core/errors.ts'
import type { Actor } from './actor.ts'

/**
 * Which actors: `*` (all), `user` or `agent` (all of that role), or a role and an id in which each `*`
 * stands for any text: `user:alice`, `agent:claude-*`, `user:*` (every user that is known by an id).
 */
export type ActorPattern = string

const FORM = /^(?:\*|(?:user|agent)(?::[^\p{Cc}]{1,512})?)$/u

/** @throws InvalidArgument unless it has one of the forms */
export function checkPattern(pattern: ActorPattern): ActorPattern {
  if (typeof pattern === 'string' && FORM.test(pattern)) return pattern
  throw new InvalidArgument(
    "An actor pattern is '*', 'user', 'agent', 'user:<id>' or 'agent:<id>'; in an id, * stands for any text.",
  )
}

/** Whether the pattern surely means `who`: a pattern with an id does not mean an actor without one. */
export function matches(pattern: ActorPattern, who: Actor): boolean {
  return matchesId(pattern, who, who.id)
}

/** The same for refusals: an actor without an id may be anybody of its role, so hiding an id gains nothing. */
export function mayMatch(pattern: ActorPattern, who: Actor): boolean {
  return who.id === undefined
    ? pattern.startsWith(`${who.type}:`) || matches(pattern, who)
    : matches(pattern, who)
}

function matchesId(pattern: ActorPattern, { type }: Actor, id: string | undefined): boolean {
  if (pattern === '*' || pattern === type) return true
  if (!pattern.startsWith(`${type}:`)) return false
  return id !== undefined && matchesGlob(pattern.slice(type.length + 1), id)
}

/** Whether a text matches the glob. It looks for each part once, from left to right, and never backtracks. */
export function matchesGlob(glob: string, text: string): boolean {
  const [first = '', ...others] = glob.split('*')
  const last = others.pop()
  if (last === undefined) return text === first
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last))
    return false
  let from = first.length
  const end = text.length - last.length
  for (const part of others) {
    const at = text.indexOf(part, from)
    if (at < 0 || at + part.length > end) return false
    from = at + part.length
  }
  return true
}
