import fc from 'fast-check'

const BEFORE_SURROGATES = 0xd800
const SURROGATES = 0x800

/** Any character of Unicode. fast-check has it too, but makes a table of all million of them in each process first. */
const anyCharacter = fc.integer({ min: 0, max: 0x10ffff - SURROGATES }).map(
  at => String.fromCodePoint(at < BEFORE_SURROGATES ? at : at + SURROGATES),
  character => {
    const [code, ...more] =
      typeof character === 'string' ? [...character].map(each => each.codePointAt(0)) : []
    if (code === undefined || more.length > 0) throw new Error('It is no character.')
    return code < BEFORE_SURROGATES ? code : code - SURROGATES
  },
)

/** Any text of whole characters: also those that only machines write, and names that mean something to JavaScript. */
export function anyText(length: { minLength?: number; maxLength?: number } = {}): fc.Arbitrary<string> {
  return fc.string({ unit: anyCharacter, ...length })
}
