/** `token`: o200k tokens. `character`: UTF-16 units, as `String.length`. Both of the compact JSON. */
export type SizeMode = 'token' | 'character'

export interface Size {
  size: number
  /** The value is too large to be counted whole: `size` is projected from samples. */
  isEstimate?: true
}
