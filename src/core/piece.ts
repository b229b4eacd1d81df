/** What a handler appends to its value, as plain data: JSON of some items of a list, without brackets, or text. */
export type Piece =
  | { readonly kind: 'items'; readonly json: string; readonly count: number }
  | { readonly kind: 'text'; readonly text: string }
