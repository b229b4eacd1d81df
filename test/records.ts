import { type DenseTable, recordsOf } from '../src/preview/dense.ts'

/** The records that an answer shows, as a table or as they are. */
// biome-ignore lint/suspicious/noExplicitAny: answers are read loosely in tests
export function recordsIn(answer: any): any[] {
  return answer.rows ? recordsOf(answer as DenseTable) : (answer.preview ?? answer.value)
}
