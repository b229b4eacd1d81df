// Writes THIRD-PARTY.txt: whose work is inside of this package, and under which license.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

const TARGET = new URL('../THIRD-PARTY.txt', import.meta.url)

export function writeThirdParty(names) {
  const notices = [...new Set(names)].sort().map(noticeOf)
  const opening = 'mcp-refcache contains work of others, under the licenses below.'
  writeFileSync(TARGET, `${[opening, ...notices].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`)
}

function noticeOf(name) {
  const folder = new URL(`../node_modules/${name}/`, import.meta.url)
  const { version, license, author } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'))
  const files = readdirSync(folder).filter(file => /^(licen[cs]e|notice)(\.|-|$)/i.test(file))
  if (files.length === 0 && license !== 'MIT')
    throw new Error(`${name} ships no license text: look for it by hand.`)
  const texts =
    files.length === 0
      ? [mitLicense(author)]
      : files.sort().map(file => readFileSync(new URL(file, folder), 'utf8').trim())
  return [`${name} ${version} (${license})`, ...texts].join('\n\n')
}

/** For a package that says `"license": "MIT"` and ships no text of it. */
function mitLicense(author) {
  const own = readFileSync(new URL('../LICENSE', import.meta.url), 'utf8').trim()
  const holder = (typeof author === 'string' ? author : author.name).replace(/\s*[<(].*$/, '')
  return own.replace(/^Copyright .*$/m, `Copyright (c) ${holder}`)
}
