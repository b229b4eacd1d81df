import { InvalidArgument, PermissionDenied } from '../core/errors.ts'

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
