import { Memo } from '../../preview/memo.ts'
import type { SegmentContent } from '../../preview/segment-content.ts'

/** A value in segments that somebody looks at. It remembers its parts. */
export class OpenedValue extends Memo {
  /** @param content what is shown of it, where that is large */
  constructor(readonly content: SegmentContent | undefined) {
    super()
  }
}
