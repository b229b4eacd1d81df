import type { InFlightEntry } from './entry.ts'
import type { EntryEvent, FlightEvent, Refusal } from './entry-event.ts'
import type { JsonObject } from './json.ts'
import { isSame, unanswered } from './question.ts'

/** Beyond that, who follows it begins anew where it is cancelled. */
const MAX_FOLLOWERS = 100

/** Why an event cannot happen to a task in flight as it stands now; undefined where it can. */
export function refusal(entry: InFlightEntry, event: FlightEvent): Refusal | undefined {
  if ('owner' in event && entry.lease.owner !== event.owner) return 'lease_lost'
  if (event.type === 'take-follower') return entry.follows === event.follows ? undefined : 'not_following'
  if (event.type === 'gain-follower') {
    return (entry.followers?.length ?? 0) < MAX_FOLLOWERS ? undefined : 'too_many_followers'
  }
  if ('seen' in event) return entry.version === event.seen ? undefined : 'lease_held'
  if (event.type === 'start') return entry.status === 'pending' ? undefined : 'already_started'
  // Refused, because it changes nothing.
  if (event.type === 'answer') return isWanted(entry, event.answers) ? undefined : 'not_asked'
  if (NEED_START.has(event.type) && entry.status !== 'processing') return 'not_started'
  if (event.type === 'withdraw') return isWanted(entry, { [event.key]: {} }) ? undefined : 'not_asked'
  return event.type === 'ask' && isAsked(entry, event) ? 'already_asked' : undefined
}

const NEED_START: ReadonlySet<EntryEvent['type']> = new Set([
  'progress',
  'append',
  'ask',
  'withdraw',
  'complete',
  'postpone',
])

function isAsked({ questions }: InFlightEntry, { place, request }: EntryEvent & { type: 'ask' }): boolean {
  const there = questions?.[place]
  // A withdrawn question is asked anew: it cannot be answered any more.
  return there !== undefined && !there.closed && isSame(there, request)
}

function isWanted({ questions }: InFlightEntry, answers: Readonly<Record<string, JsonObject>>): boolean {
  return unanswered(questions).some(({ key }) => Object.hasOwn(answers, key))
}
