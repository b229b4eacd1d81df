import { randomInt } from 'node:crypto'

/** No vowels, so that no word of a message reads like a secret; no hex digits, so that no reference does. */
const LETTERS = 'GHJKLMNPQRSTVWXZ'
const LENGTH = 12

/** So short a piece of a secret is already a leak: previews cut texts. */
const PIECE = 6

/** What must never reach the attacker: a text, a number and the name of a member, found again wherever they turn up. */
export class Secret {
  readonly text = letters()
  readonly key = letters()
  readonly number = randomInt(100_000_000, 999_999_999)
  readonly #marks = new Set([...marksOf(this.text), ...marksOf(this.key), String(this.number)])

  /** A value that holds all three. */
  get value() {
    return { [this.key]: { name: this.text, salary: this.number } }
  }

  /** The first piece of the secret that is in the text. */
  foundIn(text: string): string | undefined {
    const shouted = text.toUpperCase()
    return [...this.#marks].find(mark => shouted.includes(mark.toUpperCase()))
  }
}

function letters(): string {
  return Array.from({ length: LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join('')
}

/** Pieces of the text as it is, and of its base64 at each alignment. */
function marksOf(text: string): string[] {
  const pieces = Array.from({ length: LENGTH - PIECE + 1 }, (_, from) => text.slice(from, from + PIECE))
  const encoded = [0, 1, 2].map(shift =>
    Buffer.from('\0'.repeat(shift) + text)
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  )
  return [...pieces, ...encoded]
}
