import { installed, runSnippets } from './installed-snippets.ts'
import { snippets } from './snippets.ts'

/** The programs, servers and configurations of docs/ do what they say. `readme.test.ts` checks their types. */
const all = snippets().filter(({ at }) => at.startsWith('docs/'))

runSnippets(installed(all, { noCheck: true }), all)
