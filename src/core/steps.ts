/**
 * A computation in steps. Each `yield` is a point where the event loop may turn, and says how much work was
 * done since the one before; the unit is about one character of text tokenized.
 */
export type Steps<T> = Generator<number, T, void>

/** Steps that also wait for something from outside: each promise that is yielded. */
export type ReadingSteps<T> = Generator<number | Promise<unknown>, T, void>

/** Work between two turns of the event loop: a millisecond or two on an ordinary machine. */
export const WORK_PER_TURN = 20_000

// Of the whole process, so that many short computations one after the other give way as well.
let workSinceTurn = 0

/**
 * Runs the steps, giving way to the event loop after every few milliseconds of work.
 * @throws the reason of the signal, once that is aborted
 */
export async function paced<T>(steps: ReadingSteps<T>, signal?: AbortSignal): Promise<T> {
  signal?.throwIfAborted()
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    if (typeof step.value !== 'number') {
      await step.value
      continue
    }
    workSinceTurn += step.value
    if (workSinceTurn >= WORK_PER_TURN) {
      workSinceTurn = 0
      await turn()
      signal?.throwIfAborted()
    }
  }
}

/** Lets the event loop turn: timers and what has arrived come first. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

/** So many operations of a store at once: together they take some milliseconds where the store answers at once. */
const CHUNK = 25

/** Does the same with each item, in their order and some at once, and lets the event loop turn in between. */
export async function inChunks<T>(items: Iterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
  let under: Array<Promise<unknown>> = []
  for (const item of items) {
    under.push(work(item))
    if (under.length < CHUNK) continue
    await Promise.all(under)
    under = []
    await turn()
  }
  await Promise.all(under)
}

/** Waits for something from outside. */
export function* waitFor<T>(promise: Promise<T>): ReadingSteps<T> {
  let answer: T | undefined
  yield promise.then(value => {
    answer = value
  })
  return answer as T
}

/** No work at all. */
export function* done<T>(answer: T): Steps<T> {
  yield 0
  return answer
}

/** Runs the steps without a pause: for what is known to be small. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/**
 * The largest n in 1..count that fits, 0 if not even 1 does. Gallops out from `guess` and then bisects, so a
 * good guess costs two questions. What it answers was asked and did fit, even where fitting is not monotonic.
 */
export function* lastFitting(
  count: number,
  guess: number,
  fits: (n: number) => Steps<boolean>,
): Steps<number> {
  let fitting = 0
  let failing = count + 1
  let stride = 1
  let n = Math.max(1, Math.min(guess, count))
  while (fitting + 1 < failing) {
    if (yield* fits(n)) fitting = n
    else failing = n
    if (failing > count) n = Math.min(fitting + stride, count)
    else if (fitting === 0) n = Math.max(failing - stride, 1)
    else n = (fitting + failing) >> 1
    stride *= 2
  }
  return fitting
}
