import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { SiteConfig } from 'vitepress'
import { fileOf, sidebar } from './sidebar.mts'

/**
 * What a model reads instead of the site: each page as Markdown, `llms.txt` with a line for each, and `llms-full.txt` with all
 * of them, in the order of the sidebar.
 */
export function writeForModels({ srcDir, outDir, site }: SiteConfig): void {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(outDir, path)), { recursive: true })
    writeFileSync(join(outDir, path), text)
  }
  const index: string[] = [`# ${site.title}`, `> ${site.description}`]
  const full: string[] = []
  for (const { text: group, items } of sidebar) {
    const lines = items.map(({ text: title, link }) => {
      const path = fileOf(link)
      const page = readFileSync(join(srcDir, path), 'utf8')
      write(path, page)
      full.push(page.trim())
      return `- [${title}](${site.base}${path}): ${firstSentence(page)}`
    })
    index.push(`## ${group}`, lines.join('\n'))
  }
  write('llms.txt', `${index.join('\n\n')}\n`)
  write('llms-full.txt', `${full.join('\n\n')}\n`)
}

/** Of the paragraph below the title. */
function firstSentence(page: string): string {
  const paragraph = page
    .split(/\n\n+/)[1]!
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return /^.*?[.:](?= |$)/.exec(paragraph)?.[0].replace(/:$/, '.') ?? paragraph
}
