import { UnknownStoreFormat } from '../core/errors.ts'

/**
 * How entries and their bytes are stored: raise it with every change that a version before cannot read or must not sweep.
 * A store carries the number. A process that knows another one refuses the store before it reads or changes anything, and
 * asks again with each operation, because a newer version may convert a store that is open here.
 *
 * 1: the format of 0.1, which marked SQLite files, and left Redis without a mark.
 * 2: large values in segments.
 * 3: one heartbeat a process: tasks are found by the process that has them, and their entries no longer show that it lives.
 */
export const STORE_FORMAT: number = 3

/** What this version converts, and reads. */
export const OLDER_FORMATS: readonly number[] = [1, 2]

/** Versions with different formats have different default places: what a place is called ends with this. */
export const FORMAT_SUFFIX = STORE_FORMAT === 1 ? '' : `-${STORE_FORMAT}`

/** What a process says of a store of another format; `elsewhere` names what to choose anew. */
export function unknownFormat(
  found: unknown,
  place: string,
  elsewhere: 'path' | 'prefix',
): UnknownStoreFormat {
  const [who, advice] =
    Number(found) < STORE_FORMAT
      ? ['an older', 'use the version that wrote it']
      : ['a newer', 'upgrade mcp-refcache']
  return new UnknownStoreFormat(
    `${place} was written by ${who} mcp-refcache (format ${found}; this one knows ${STORE_FORMAT}), and is left as it is: ${advice}, or choose another ${elsewhere}.`,
  )
}
