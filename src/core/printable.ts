/** Text of strangers on one line of a terminal: nothing in it may move the cursor or look like another line. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, char =>
    Array.from({ length: char.length }, (_, n) => escaped(char.charCodeAt(n))).join(''),
  )
}

/** JSON on one line of a terminal: the same value, with nothing raw in it that moves the cursor. */
export function printableJson(value: unknown): string {
  return printable(JSON.stringify(value))
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}
