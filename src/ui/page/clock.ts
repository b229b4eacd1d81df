import { useEffect, useState } from 'preact/hooks'

/** The server's clock, as far as the page knows it: ages and bars must not depend on whether this machine's clock is right. */

let skew = 0
const listeners = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

const TICK_MS = 1_000

/** @param now what the server says the time is */
export function setServerTime(now: string): void {
  skew = Date.parse(now) - Date.now()
}

export function serverNow(): number {
  return Date.now() + skew
}

/** The time, once a second. Only the component that asks is drawn again. */
export function useNow(): number {
  const [, setTick] = useState(0)
  useEffect(() => {
    const listener = () => setTick(tick => tick + 1)
    listeners.add(listener)
    timer ??= setInterval(() => {
      for (const one of listeners) one()
    }, TICK_MS)
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0) return
      clearInterval(timer)
      timer = undefined
    }
  }, [])
  return serverNow()
}
