import type { Container } from './segment-index.ts'

/** Cuts a text that arrives in pieces into segments, and notes what is where. */
export interface Segmenter {
  /** Takes the next piece of the text; gives the segments that are complete by that. */
  push(piece: string): string[]
  /** The rest of the text. */
  end(): string[]
  /** After the end. */
  readonly containers: readonly Container[]
  /**
   * As if the text ended here, between two parts of its outermost container: what is in it, and the text that is not cut off yet.
   * @param parts how many parts that container has, where it is a list
   */
  soFar(parts: number): { readonly containers: readonly Container[]; readonly rest: string }
}
