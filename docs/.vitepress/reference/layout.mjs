import ts from 'typescript'
import { sharedBases } from './bases.mjs'
import { readExports } from './declarations.mjs'
import { PAGES } from './pages.mjs'
import { sectionWriter } from './section.mjs'

const NOTE =
  '<!-- Made by `npm run docs:reference` from the declarations: change the docstrings, not this page. -->'
const ABOUT =
  'Every option of every public function and class, with its default, made from the docstrings. The options of the command are in [wrap](../wrap-options.md#options) and in `mcp-refcache COMMAND --help`.'

/**
 * The pages of the reference, by the names of their files.
 *
 * @typedef {import('./declarations.mjs').Export} Export
 * @param {Readonly<Record<string, string>>} entryPoints a declaration file for each specifier
 * @param {string} folder where all declarations of the package are
 * @returns {Map<string, string>}
 */
export function layOut(entryPoints, folder) {
  const { exports, checker } = readExports(entryPoints, folder)
  const pages = pagesOf([...exports, ...sharedBases(exports, folder, checker)])
  const section = sectionWriter(checker, folder, addressesIn(pages))
  const files = [...pages].map(([file, { title, about, sections }]) => [
    `${file}.md`,
    markdown([`# ${title}`, about, NOTE, ...sections.map(section)]),
  ])
  const links = [...pages].map(([file, { title, sections }]) => {
    const names = sections.map(({ name }) => `\`${name}\``)
    return `- [${title}](${file}.md): ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}`
  })
  return new Map([['index.md', markdown(['# Reference', ABOUT, NOTE, links.join('\n')])], ...files])
}

/** @param {readonly Export[]} sections */
function pagesOf(sections) {
  /** @type {Map<string, { title: string, about: string, sections: Export[] }>} */
  const pages = new Map(PAGES.map(({ file, title, about }) => [file, { title, about, sections: [] }]))
  for (const one of [...sections].sort((a, b) => rank(a) - rank(b))) {
    const isRoot = one.specifier === 'mcp-refcache'
    const own = isRoot ? 'operating' : one.specifier.replace('mcp-refcache/', '').replaceAll('/', '-')
    const file = PAGES.find(({ of }) => of.test(one.path))?.file ?? own
    const page = pages.get(file) ?? { title: one.specifier, about: '', sections: [] }
    pages.set(file, { ...page, sections: [...page.sections, one] })
  }
  return pages
}

/** Functions and classes first, then what they take, then the rest. @param {Export} section */
function rank({ name, declaration, isInner }) {
  if (isInner) return 3
  if (ts.isFunctionDeclaration(declaration) || ts.isClassDeclaration(declaration)) return 0
  return /(Options|Config|Settings)$/.test(name) ? 1 : 2
}

/** Where each section is. Of headings that are alike but for their case, links number the later ones. @param {ReturnType<typeof pagesOf>} pages */
function addressesIn(pages) {
  /** @type {Map<ts.Symbol, string>} */
  const addresses = new Map()
  for (const [file, { sections }] of pages) {
    /** @type {Map<string, number>} */
    const taken = new Map()
    for (const { name, symbol } of sections) {
      const anchor = name.toLowerCase()
      const times = taken.get(anchor) ?? 0
      taken.set(anchor, times + 1)
      addresses.set(symbol, `${file}.md#${anchor}${times > 0 ? `-${times}` : ''}`)
    }
  }
  return addresses
}

/** @param {readonly string[]} parts */
const markdown = parts => `${parts.filter(part => part !== '').join('\n\n')}\n`
