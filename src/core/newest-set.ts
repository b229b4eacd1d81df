/** A set of bounded size: beyond `limit` members, the one that was added first goes. */
export class NewestSet<Member> {
  readonly #members = new Set<Member>()

  constructor(private readonly limit: number) {}

  has(member: Member): boolean {
    return this.#members.has(member)
  }

  /** Added again, it counts as the newest. */
  add(member: Member): void {
    this.#members.delete(member)
    this.#members.add(member)
    if (this.#members.size <= this.limit) return
    const [oldest] = this.#members
    this.#members.delete(oldest as Member)
  }

  delete(member: Member): void {
    this.#members.delete(member)
  }
}
