/** One thing that was looked at. */
export interface Finding {
  readonly about: 'node' | 'store' | 'client' | 'server'
  /** Which one: a version, a path, a name. */
  readonly subject: string
  /** `mend` makes the exit code 1. */
  readonly level: 'ok' | 'note' | 'mend'
  readonly message: string
  /** What to do. Every finding that is not ok has it. */
  readonly advice?: string
  /** Numbers for programs. */
  readonly data?: Readonly<Record<string, number>>
}

type What = Pick<Finding, 'about' | 'subject'>

export function ok(what: What, message: string, data?: Finding['data']): Finding {
  return { ...what, level: 'ok', message, ...(data ? { data } : {}) }
}

export function note(what: What, message: string, advice: string): Finding {
  return { ...what, level: 'note', message, advice }
}

export function mend(what: What, message: string, advice: string): Finding {
  return { ...what, level: 'mend', message, advice }
}
