import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Detail, Row } from '../../api.ts'
import { isAway, problemText, type Server } from '../server.ts'

/** An opened reference: loaded, or why not. */
export interface Opened {
  readonly ref: string
  readonly detail?: Detail
  readonly problem?: string
  readonly isAway?: boolean
}

/** How an entry stands, as far as the lists know. */
export type StatusOf = (ref: string) => Row['status'] | undefined

/** What the rest of the page knows of the opened entry. */
interface Known {
  readonly row: Row | undefined
  readonly statusOf: StatusOf
  /** How often the lists were loaded. */
  readonly loads: number
}

/**
 * Loads the opened entry, and loads it anew when the lists know that it moved on (`row`), or that a task it hangs together with did, and
 * when a server that was away is back.
 */
export function useOpened(server: Server, ref: string | undefined, { row, statusOf, loads }: Known) {
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
  const moved = movedIn(current?.detail, statusOf)
  useEffect(() => {
    if (moved !== '') void load()
  }, [load, moved])
  useEffect(() => {
    if (current?.isAway) void load()
  }, [loads])
  return { opened: current, reload: load }
}

/** The tasks that the entry was made of, or that were made of it, and that stand another way by now. */
function movedIn(detail: Detail | undefined, statusOf: StatusOf): string {
  const linked = detail === undefined ? [] : [...detail.uses, ...detail.usedBy]
  const running = linked.filter(({ status }) => status === 'pending' || status === 'processing')
  const moved = running.filter(({ ref, status }) => (statusOf(ref) ?? status) !== status)
  return moved.map(({ ref }) => `${ref} ${statusOf(ref)}`).join()
}
