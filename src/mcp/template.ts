import { InvalidArgument, PermissionDenied } from '../core/errors.ts'

/** A text with gaps for what is known of the caller: `'org:{org_id}:user:{user_id}'`. */
export type Template = string

const GAP = /\{([a-z][a-z0-9_]{0,63})\}/gi

/** @throws InvalidArgument where a brace is not part of a gap */
export function checkTemplate(template: Template, what: string): Template {
  if (typeof template === 'string' && !/[{}]/.test(template.replace(GAP, ''))) return template
  throw new InvalidArgument(
    `${what} is a text in which {name} stands for something that is known of the caller, such as {user_id}.`,
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
      `This tool needs to know the ${name} of its caller, and nothing vouches for one.`,
    )
  })
}
