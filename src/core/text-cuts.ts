/** The position itself, or the one before if it would part a surrogate pair. */
export function wholeCharacter(text: string, position: number): number {
  const unit = text.charCodeAt(position - 1)
  return unit >= 0xd800 && unit < 0xdc00 ? position - 1 : position
}

/** The position itself, or the one before the escape or character that it would part. */
export function wholeToken(text: string, position: number): number {
  const backslash = text.lastIndexOf('\\', position - 1)
  let first = backslash
  while (first > 0 && text.charCodeAt(first - 1) === 0x5c) first--
  const isEscape = backslash >= 0 && (backslash - first) % 2 === 0
  const length = text[backslash + 1] === 'u' ? 6 : 2
  if (isEscape && backslash + length > position) return backslash > 0 ? backslash : length
  return wholeCharacter(text, position)
}
