import { readFileSync } from 'node:fs'

interface Group {
  readonly text: string
  readonly items: readonly { readonly text: string; readonly link: string }[]
}

/** All pages in the order of reading: the sidebar, and `llms.txt`. */
export const sidebar: Group[] = [
  {
    text: 'Start',
    items: [
      { text: 'Which way in', link: '/start/' },
      { text: 'How it works', link: '/how-it-works' },
      { text: 'Wrap a server', link: '/start/wrap' },
      { text: 'Your own server', link: '/start/server' },
      { text: 'The library', link: '/start/library' },
    ],
  },
  {
    text: 'Recipes',
    items: [
      { text: 'All recipes', link: '/recipes/' },
      { text: 'A slow tool', link: '/recipes/slow-tool' },
      { text: 'A huge list', link: '/recipes/huge-list' },
      { text: 'Ask in SQL', link: '/recipes/ask-in-sql' },
      { text: 'Change by reference', link: '/recipes/change-by-reference' },
      { text: 'Private data', link: '/recipes/private-data' },
      { text: 'Replicas', link: '/recipes/replicas' },
      { text: 'Wrap everything', link: '/recipes/wrap-everything' },
      { text: 'A v1 server', link: '/recipes/v1-server' },
    ],
  },
  {
    text: 'In front of a server',
    items: [
      { text: 'Wrap', link: '/wrap' },
      { text: 'What passes through wrap', link: '/wrap-results' },
      { text: 'Tasks through wrap', link: '/wrap-tasks' },
      { text: 'Options of wrap', link: '/wrap-options' },
      { text: 'wrap over HTTP', link: '/wrap-http' },
      { text: 'Settings for single tools', link: '/wrap-settings' },
      { text: 'Your clients', link: '/clients' },
      { text: 'Several servers', link: '/several-servers' },
      { text: 'Settings for several servers', link: '/several-servers-settings' },
      { text: 'Command line', link: '/command-line' },
    ],
  },
  {
    text: 'In your own server',
    items: [
      { text: 'Tasks', link: '/tasks' },
      { text: 'While a task runs', link: '/running-tasks' },
      { text: 'Calls that share a run', link: '/shared-runs' },
      { text: 'When a process dies', link: '/recovery' },
      { text: 'Handlers and values', link: '/handlers' },
      { text: 'Native MCP tasks', link: '/native-tasks' },
      { text: 'An entry as a task of MCP', link: '/native-task-states' },
      { text: 'Progress card', link: '/card' },
      { text: 'Who may know what', link: '/access' },
      { text: 'References in the input of tools', link: '/references-as-input' },
      { text: 'Who calls, over MCP', link: '/access-over-mcp' },
      { text: 'fastmcp', link: '/fastmcp' },
      { text: 'Agent programs', link: '/agent-programs' },
      { text: 'OpenAI Agents and LangChain', link: '/other-agent-sdks' },
    ],
  },
  {
    text: 'Working with results',
    items: [
      { text: 'Previews and pages', link: '/previews' },
      { text: 'Pages and parts', link: '/pages' },
      { text: 'Asking in SQL', link: '/asking' },
      { text: 'Editing and exporting', link: '/editing' },
      { text: 'Searching and exporting', link: '/exporting' },
    ],
  },
  {
    text: 'Running it',
    items: [
      { text: 'Stores', link: '/stores' },
      { text: 'Sharing a store', link: '/shared-stores' },
      { text: 'A store of your own', link: '/own-store' },
      { text: 'Redis', link: '/redis' },
      { text: 'What Redis holds', link: '/redis-keys' },
      { text: 'Encryption at rest', link: '/encryption' },
      { text: 'Keys of an encrypted store', link: '/encryption-keys' },
      { text: 'Threads', link: '/threads' },
      { text: 'Scaling', link: '/scaling' },
      { text: 'Workers on any machine', link: '/workers' },
      { text: 'For operators', link: '/operators' },
      { text: 'Admin tools and audit', link: '/admin-and-audit' },
      { text: 'Telemetry', link: '/telemetry' },
      { text: 'OpenTelemetry', link: '/opentelemetry' },
      { text: 'The live page', link: '/live-page' },
    ],
  },
  {
    text: 'Reference',
    items: [
      { text: 'Wire format', link: '/wire-format' },
      { text: 'Tasks on the wire', link: '/wire-tasks' },
      { text: 'Our tools on the wire', link: '/wire-tools' },
      { text: 'Errors and admin tools on the wire', link: '/wire-errors' },
      { text: 'Options', link: '/reference/' },
      ...reference(),
    ],
  },
  {
    text: 'More',
    items: [
      { text: 'Questions', link: '/faq' },
      { text: 'Compared with other ways', link: '/comparison' },
    ],
  },
  {
    text: 'Inside',
    items: [
      { text: 'Architecture', link: '/architecture' },
      { text: 'Architecture: the flow', link: '/architecture-flow' },
      { text: 'Architecture: access and questions', link: '/architecture-access' },
      { text: 'Architecture: execution', link: '/architecture-execution' },
      { text: 'Architecture: time, leases, recovery', link: '/architecture-recovery' },
      { text: 'Architecture: values, inputs and previews', link: '/architecture-values' },
      { text: 'Architecture: adapters and wrap', link: '/architecture-outside' },
      { text: 'Architecture: the command', link: '/architecture-command' },
      { text: 'Architecture: stores, inspection, telemetry', link: '/architecture-stores' },
      { text: 'Testing', link: '/testing' },
      { text: 'Publishing', link: '/publishing' },
    ],
  },
]

/** The Markdown of a page, from `docs/`. */
export function fileOf(link: string): string {
  return `${link.slice(1)}${link.endsWith('/') ? 'index' : ''}.md`
}

/** The pages that are made from the declarations, as their index lists them. */
function reference(): Group['items'] {
  const index = readFileSync(new URL('../reference/index.md', import.meta.url), 'utf8')
  return [...index.matchAll(/^- \[(.*?)\]\((.*?)\.md\)/gm)].map(([, text = '', file]) => ({
    text,
    link: `/reference/${file}`,
  }))
}
