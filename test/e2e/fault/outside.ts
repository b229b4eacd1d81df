import { existsSync, readFileSync } from 'node:fs'

/** What handlers wrote about themselves in a file outside of the cache: the judge of what ran, and how often. */
export interface Step {
  readonly step: 'begin' | 'end' | 'abort'
  readonly id: string
  readonly pid: number
  /** By the wall clock of the machine, whatever the process's own says. */
  readonly at: number
  readonly attempt?: number
  readonly code?: string
}

export function stepsIn(record: string): Step[] {
  if (!existsSync(record)) return []
  const lines = readFileSync(record, 'utf8').split('\n')
  // The last one may be half there at the moment; a killed process cannot leave a half, since it is one write.
  return lines.slice(0, -1).map(line => JSON.parse(line))
}

/** How often the handler was run for `id`. */
export function runsOf(record: string, id: string): number {
  return stepsIn(record).filter(({ step, id: of }) => step === 'begin' && of === id).length
}
