import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { Shown } from '../../api.ts'
import { isAway, problemText } from '../server.ts'

/** Something that is asked of the server: the newest question counts, and its answer stays until the next one is there. */
export interface Asked {
  readonly shown?: Shown
  readonly problem?: string
  readonly isAway?: boolean
  readonly isBusy: boolean
}

export function useShown() {
  const [asked, setAsked] = useState<Asked>({ isBusy: false })
  const newest = useRef(0)
  useEffect(() => () => void newest.current++, [])
  const ask = useCallback(async (question: () => Promise<Shown>) => {
    newest.current += 1
    const mine = newest.current
    setAsked(before => ({ ...before, isBusy: true }))
    const next = await question().then(
      (shown): Asked => ({ shown, isBusy: false }),
      (error): Asked => ({ problem: problemText(error), isAway: isAway(error), isBusy: false }),
    )
    if (newest.current === mine) setAsked(next)
  }, [])
  return { ...asked, ask }
}
