/** Whether two objects have the same members: the same values, or objects that are written alike. Quicker than to write both. */
export function hasEqualMembers(one: object, other: object): boolean {
  const [members, others] = [Object.entries(one), other as Record<string, unknown>]
  return (
    members.length === Object.keys(other).length &&
    members.every(([name, member]) => {
      const second = others[name]
      if (member === second) return name in other
      if (typeof member !== 'object' || typeof second !== 'object') return false
      return JSON.stringify(member) === JSON.stringify(second)
    })
  )
}
