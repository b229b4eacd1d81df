import type { Container, SegmentIndex } from './segment-index.ts'

/** How much there was of a growing value at an earlier moment. */
export interface EarlierAmount {
  /** UTF-16 units of its text, as if it had ended there. */
  readonly length: number
  /** Items or lines. */
  readonly available: number
  /** Bytes of its JSON. */
  readonly valueBytes: number
}

/**
 * The index of a value that has grown since, as it was when there was so much of it. Of the last segment `lastSegment` makes what that
 * was then.
 */
export function earlierIndex(
  { form, length: now, segments, containers }: SegmentIndex,
  { length, available, valueBytes }: EarlierAmount,
): SegmentIndex & { readonly segments: readonly number[] } {
  // A list had a bracket at its end.
  const shared = form === 'json' ? length - 1 : length
  const kept: number[] = []
  let rest = Math.min(length, now)
  for (const segment of segments) {
    if (rest <= 0) break
    kept.push(Math.min(segment, rest))
    rest -= segment
  }
  return {
    form,
    length,
    jsonBytes: valueBytes,
    segments: kept,
    // Those of later items stand behind all of these.
    containers: containers.flatMap((container, number) => {
      if (number === 0) return [earlierRoot(container, { length, available, shared })]
      return container.start < shared ? [container] : []
    }),
  }
}

function earlierRoot(
  container: Container,
  { length, available, shared }: { length: number; available: number; shared: number },
): Container {
  const anchors = container.anchors.filter(([part, position]) => part < available && position < shared)
  return { ...container, end: length, count: available, anchors }
}

/** The text of the last segment of an earlier index, from what it is now. */
export function lastSegment({ form, segments }: SegmentIndex, text: string): string {
  const length = segments.at(-1) as number
  return form === 'json' ? `${text.slice(0, length - 1)}]` : text.slice(0, length)
}
