/**
 * Whether a package could not be imported because it is not there. Loaders word it differently (Node, Yarn, Deno, Bun,
 * Jest), but all of them quote the package's name alone; a broken package is reported by one of its files, or of its own.
 */
export function isMissing(name: string, error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown }
  const notFound =
    /MODULE_NOT_FOUND|UNDECLARED_DEPENDENCY|MISSING_PEER_DEPENDENCY/.test(String(code)) ||
    /cannot find|could not resolve|not a dependency|isn't declared/i.test(String(message))
  return notFound && new RegExp(`(^|[^\\w/@.-])${name}($|[^\\w/@-])`).test(firstLineOf(message))
}

/** What to say of a package that is there. */
export function brokenPackage(name: string, error: unknown): string {
  return `The package ${name} is installed, but does not load: ${firstLineOf((error as Error).message)}`
}

function firstLineOf(message: unknown): string {
  return String(message).trim().split('\n', 1)[0]!
}
