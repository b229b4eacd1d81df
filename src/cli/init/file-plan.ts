import type { Location } from '../../clients/locations.ts'
import type { StaysReason } from '../../clients/wrap-entry.ts'

/** What a client's file says of one server. */
export type Entry = Readonly<Record<string, unknown>>

/** One server of a file: as it is, and as it will be or why it stays. */
export interface ServerPlan {
  readonly name: string
  readonly place: readonly string[]
  readonly before: Entry
  /** Nothing in it: the entry goes away. */
  readonly after?: Entry
  readonly stays?: StaysReason
}

/** What is to become of one file. */
export interface FilePlan {
  readonly location: Location
  /** The file itself, where `location.path` is a link to it. */
  readonly path: string
  readonly text: string
  readonly newText: string
  readonly servers: readonly ServerPlan[]
  /** Of all servers in it, also of those that nobody chose. */
  readonly names: readonly string[]
  /** Where servers go that leave the client's file. */
  readonly companion?: Companion
}

/** A file that is there and cannot be changed. */
export interface FileProblem {
  readonly location: Location
  readonly problem: string
}

/** The file of this program that holds the servers of a client which are behind one wrapper. */
export interface Companion {
  readonly path: string
  /** Absent: the file is new. */
  readonly before?: string
  readonly text: string
}
