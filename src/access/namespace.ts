import { InvalidArgument } from '../core/errors.ts'
import type { Actor } from './actor.ts'

/** An isolation scope: `public`, `user:<id>`, `session:<id>` or `user:<id>:session:<id>`. */
export type Namespace = string

interface Owner {
  userId?: string
  sessionId?: string
}

const ID = '[^:\\s\\p{Cc}]{1,256}'
const FORM = new RegExp(
  `^(?:public|user:(?<user>${ID})(?::session:(?<inner>${ID}))?|session:(?<outer>${ID}))$`,
  'u',
)

/** The namespace itself, or an error that says which forms there are. */
export function checkNamespace(namespace: Namespace): Namespace {
  ownerOf(namespace)
  return namespace
}

/** Whether `who` is inside of the namespace. Ids are compared whole. */
export function admits(namespace: Namespace, who: Actor): boolean {
  const { userId, sessionId } = ownerOf(namespace)
  return (
    (userId === undefined || who.id === userId) && (sessionId === undefined || who.sessionId === sessionId)
  )
}

function ownerOf(namespace: Namespace): Owner {
  const match = typeof namespace === 'string' && namespace.length <= 600 ? FORM.exec(namespace) : null
  if (!match) {
    throw new InvalidArgument(
      "A namespace is 'public', 'user:<id>', 'session:<id>' or 'user:<id>:session:<id>'; an id has no colon or white space.",
    )
  }
  const { user, inner, outer } = match.groups ?? {}
  const session = inner ?? outer
  return {
    ...(user === undefined ? {} : { userId: user }),
    ...(session === undefined ? {} : { sessionId: session }),
  }
}
