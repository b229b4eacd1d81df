/**
 * Calls `callback` when the signal aborts; returns the end of it. Any number of calls put one listener on the signal:
 * Node warns of a leak where many are on one, and a signal of a user's may serve many calls at once.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const callbacks = listening.get(signal) ?? listenTo(signal)
  // An object of its own, so that the same function given twice counts twice.
  const own = { callback }
  callbacks.waiting.add(own)
  return () => {
    if (callbacks.waiting.delete(own) && callbacks.waiting.size === 0) callbacks.stop()
  }
}

interface Callbacks {
  readonly waiting: Set<{ readonly callback: () => void }>
  stop(): void
}

const listening = new WeakMap<AbortSignal, Callbacks>()

function listenTo(signal: AbortSignal): Callbacks {
  const waiting: Callbacks['waiting'] = new Set()
  const hear = () => {
    callbacks.stop()
    for (const { callback } of waiting) callback()
    waiting.clear()
  }
  const callbacks: Callbacks = {
    waiting,
    stop: () => {
      signal.removeEventListener('abort', hear)
      if (listening.get(signal) === callbacks) listening.delete(signal)
    },
  }
  signal.addEventListener('abort', hear)
  listening.set(signal, callbacks)
  return callbacks
}
