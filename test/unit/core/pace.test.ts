import { describe, expect, it } from 'vitest'
import { etaSeconds } from '../../../src/core/eta.ts'
import { Pace } from '../../../src/core/pace.ts'

const STEPS = 200
const STEP_MS = 100

/** Synthetic curves: work done after each step, of a speed that the seeded noise varies. */
const curves = {
  steady: () => recorded(() => 1),
  'noisy, steady on average': (random: () => number) => recorded(() => 0.85 + 0.3 * random()),
  slowing: () => recorded(share => 1 - 0.8 * share),
  accelerating: () => recorded(share => 0.2 + 1.6 * share),
  'fast, then slow': () => recorded(share => (share < 0.4 ? 2 : 0.5)),
  bursty: (random: () => number) => {
    let left = 0
    let fast = true
    return recorded(() => {
      if (left-- <= 0) {
        fast = !fast
        left = 3 + Math.floor(random() * 12)
      }
      return fast ? 3 : 0.1
    })
  },
}

function recorded(speed: (share: number) => number): number[] {
  let done = 0
  const curve = Array.from({ length: STEPS }, (_, n) => {
    done += speed(n / STEPS)
    return done
  })
  return curve.map(current => (current / done) * 100)
}

function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Mean error of the estimate over a run, relative to that of the plain formula, over thirty seeds. */
function relativeError(curve: (random: () => number) => number[]): number {
  let ours = 0
  let plain = 0
  for (let seed = 1; seed <= 30; seed++) {
    const pace = new Pace()
    for (const [n, current] of curve(seeded(seed)).entries()) {
      const elapsed = (n + 1) * STEP_MS
      pace.add(current, 100, elapsed)
      const truth = ((STEPS - n - 1) * STEP_MS) / 1000
      const progress = { current, total: 100 }
      ours += Math.abs((etaSeconds(progress, elapsed, pace.recent()) as number) - truth)
      plain += Math.abs((etaSeconds(progress, elapsed) as number) - truth)
    }
  }
  return plain === 0 ? (ours === 0 ? 1 : Number.POSITIVE_INFINITY) : ours / plain
}

describe('the smoothed ETA against the plain formula', () => {
  it.each([
    ['slowing', 0.9],
    ['accelerating', 0.75],
    ['fast, then slow', 0.97],
  ] as const)('errs clearly less where work is %s', (name, bound) => {
    expect(relativeError(curves[name])).toBeLessThan(bound)
  })

  it.each([
    ['steady', 1.0001],
    ['noisy, steady on average', 1.05],
    ['bursty', 1.05],
  ] as const)('is at most a few percent worse where there is no trend to find: %s', (name, bound) => {
    expect(relativeError(curves[name])).toBeLessThan(bound)
  })
})

describe('Pace', () => {
  it('says nothing before there is enough to go by', () => {
    const pace = new Pace()
    for (let n = 1; n < 8; n++) pace.add(n * n, 100, n * 100)
    expect(pace.recent()).toBeUndefined()
  })

  it('begins anew when the total changes or progress goes back', () => {
    for (const [current, total] of [
      [1, 100],
      [60, 500],
    ] as const) {
      const pace = new Pace()
      for (let n = 1; n <= 40; n++) pace.add(Math.sqrt(n) * 10, 100, n * 100)
      expect(pace.recent()).toBeGreaterThan(0)
      pace.add(current, total, 4_100)
      expect(pace.recent()).toBeUndefined()
    }
  })

  it('keeps a bounded number of samples, however many there are', () => {
    const pace = new Pace()
    for (let n = 1; n <= 100_000; n++) pace.add(Math.sqrt(n), 1_000, n)
    expect(pace.recent()).toBeGreaterThan(0)
  })
})
