import { InvalidArgument } from '../core/errors.ts'

const LONGEST = 120

/** Letters, digits and a few signs; it begins with a letter or digit, so it is no hidden file and no option of a command. */
const PLAIN = /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}._ ()+=@,-]*[\p{L}\p{N}\p{M})_+-])?$/u

/** Devices of Windows, whatever their extension. */
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)/i

/** @throws InvalidArgument unless it is one plain file name, on every system */
export function checkFileName(name: string): string {
  const isPlain =
    typeof name === 'string' &&
    Buffer.byteLength(name) <= LONGEST &&
    name.normalize('NFC') === name &&
    PLAIN.test(name) &&
    !DEVICE.test(name)
  if (isPlain) return name
  throw new InvalidArgument(
    `name is one plain file name of at most ${LONGEST} bytes, such as orders.csv: letters, digits, dots, dashes and spaces, no folder, no dot in front, and no device of Windows.`,
  )
}

/** A text as a part of a file name. */
export function fileNamePart(text: string): string {
  const part = text
    .normalize('NFC')
    .replace(/[^\p{L}\p{N}_-]+/gu, '-')
    .replace(/^[-_]+|[-_]+$/g, '')
    .slice(0, 40)
  return part === '' || DEVICE.test(part) ? 'value' : part
}
