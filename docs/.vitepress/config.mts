import { defineConfig } from 'vitepress'
import { anchorOf } from './anchor.mts'
import { linksOfTheRepository } from './links.mts'
import { writeForModels } from './llms.mts'
import { diagrams } from './mermaid.mts'
import { sidebar } from './sidebar.mts'

const REPOSITORY = 'https://github.com/mcp-refcache/mcp-refcache'

/** The site of docs/: `npm run docs`. A link that leads nowhere fails the build. */
export default defineConfig({
  title: 'mcp-refcache',
  description: 'References for the results of MCP tools.',
  lang: 'en',
  base: process.env.DOCS_BASE ?? '/',
  cleanUrls: true,
  // There is no picture for it; without this, browsers ask for one.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  markdown: {
    config: md => {
      linksOfTheRepository(md, REPOSITORY)
      diagrams(md)
    },
    anchor: { slugify: anchorOf },
  },
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start/' },
      { text: 'Recipes', link: '/recipes/' },
      { text: 'Reference', link: '/reference/' },
      { text: 'Questions', link: '/faq' },
    ],
    sidebar,
    outline: [2, 3],
    search: { provider: 'local' },
    socialLinks: [{ icon: 'github', link: REPOSITORY }],
  },
  buildEnd: writeForModels,
})
