/** The beginning of a text, with a mark that says how much is left out where it is longer than `maxLength`. */
export function cutText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text
  const end = isHighSurrogate(text.charCodeAt(maxLength - 1)) ? maxLength - 1 : maxLength
  return `${text.slice(0, end)}…(+${text.length - end} characters)`
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00
}
