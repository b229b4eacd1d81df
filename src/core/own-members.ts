/**
 * For objects of which there may be very many: members that are made when they are read. They are an object's own, so that
 * `{ ...object }` copies them; what reads them is shared by all objects of a kind, so they take no memory.
 * @returns gives an object its members
 */
export function ownMembers<Self extends object, Members extends object>(
  members: {
    readonly [Name in keyof Members]: (self: Self) => Members[Name]
  },
): (self: Self) => Self & Members {
  const readers = Object.entries<(self: Self) => unknown>(members).map(([name, read]) => {
    const get = function (this: Self) {
      return read(this)
    }
    return [name, { enumerable: true, configurable: true, get }] as const
  })
  return self => {
    for (const [name, reader] of readers) Object.defineProperty(self, name, reader)
    return self as Self & Members
  }
}
