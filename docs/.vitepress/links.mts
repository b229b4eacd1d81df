import { dirname, join } from 'node:path/posix'
import type { MarkdownRenderer } from 'vitepress'

/** A link out of docs/, such as `../CHANGELOG.md`, leads to the repository: the site has no such page. */
export function linksOfTheRepository(md: MarkdownRenderer, repository: string): void {
  const open = md.renderer.rules.link_open
  md.renderer.rules.link_open = (tokens, index, options, env, self) => {
    const token = tokens[index]!
    const target = join('docs', dirname(env.relativePath ?? ''), token.attrGet('href') ?? '')
    const outside = /^\.\.?\//.test(token.attrGet('href') ?? '') && !target.startsWith('docs/')
    if (!outside) return open!(tokens, index, options, env, self)
    token.attrSet('href', `${repository}/blob/main/${target}`)
    return open!(tokens, index, options, env, self)
  }
}
