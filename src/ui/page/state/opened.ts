import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Detail, Row } from '../../api.ts'
import { problemText, type Server, ServerProblem } from '../server.ts'

/** An opened reference: loaded, or why not. */
export interface Opened {
  readonly ref: string
  readonly detail?: Detail
  readonly problem?: string
  readonly isAway?: boolean
}

/** Loads the opened entry, and loads it anew when `row`, what the lists know of it, says that it moved on. */
export function useOpened(server: Server, ref: string | undefined, row: Row | undefined) {
  const [opened, setOpened] = useState<Opened | undefined>(undefined)
  const wanted = useRef<string | undefined>(undefined)
  wanted.current = ref
  const load = useCallback(async () => {
    if (ref === undefined) return setOpened(undefined)
    const next = await server.entry(ref).then(
      (detail): Opened => ({ ref, detail }),
      (error): Opened => ({ ref, problem: problemText(error), isAway: isAway(error) }),
    )
    // What is there stays while the server is away.
    if (wanted.current === ref)
      setOpened(before => (next.isAway && before?.ref === ref ? { ...before, ...next } : next))
  }, [server, ref])
  const state = row && [row.status, row.attempt, row.questions, row.usedBy].join(' ')
  useEffect(() => void load(), [load, state])
  const current = opened?.ref === ref ? opened : undefined
  return { opened: current, reload: load }
}

function isAway(error: unknown): boolean {
  return error instanceof ServerProblem && error.code === 'away'
}
