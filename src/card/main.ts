import type { McpUiHostContext } from '@modelcontextprotocol/ext-apps'
import { html } from 'htm/preact'
import { render } from 'preact'
import { type CardState, TaskFollower, type ToolNames } from './follow.ts'
import { Host } from './host.ts'
import { Card } from './view.ts'

/** The card in its frame: what the host says goes to the follower, and what that makes of it into the page. */

const tools = JSON.parse(document.getElementById('tools')!.textContent!) as ToolNames
const root = document.getElementById('card')!
let context: McpUiHostContext = {}
let state: CardState = { kind: 'called' }
let canAsk = true

const follower = new TaskFollower({
  tools,
  canAsk: () => canAsk,
  callTool: (name, args) => host.callTool(name, args),
  sleep,
  show(next) {
    state = next
    draw()
  },
})

const host = new Host({
  onResult: result => follower.answered(result),
  onCancelled: reason => follower.abandoned(reason),
  onContext(changed) {
    context = { ...context, ...changed }
    dress()
    draw()
  },
  onTeardown: () => follower.stop(),
})

const actions = {
  cancel: () => void follower.cancel(),
  retry: () => void follower.retry(),
  page: (page: number) => void follower.page(page),
}

function draw(): void {
  const tool = context.toolInfo?.tool
  const title = tool?.title ?? tool?.name ?? 'Tool call'
  render(html`<${Card} title=${title} state=${state} canAsk=${canAsk} actions=${actions} />`, root)
}

/** The host's own colours and fonts, where it says them. */
function dress(): void {
  const { style, dataset } = document.documentElement
  if (context.theme) {
    style.colorScheme = context.theme
    dataset.theme = context.theme
  }
  for (const [name, value] of Object.entries(context.styles?.variables ?? {})) {
    if (name.startsWith('--') && value !== undefined) style.setProperty(name, value)
  }
}

/** Nobody sees a card in a hidden page: it asks again when it is looked at. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  while (document.hidden && !signal.aborted) await once(document, 'visibilitychange', signal)
}

function once(target: EventTarget, event: string, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    target.addEventListener(event, () => resolve(), { once: true })
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

draw()
const introduced = await host.connect()
context = { ...introduced.hostContext, ...context }
canAsk = introduced.hostCapabilities.serverTools !== undefined
dress()
draw()
new ResizeObserver(() => {
  const { width, height } = document.documentElement.getBoundingClientRect()
  host.sizeChanged({ width: Math.ceil(width), height: Math.ceil(height) })
}).observe(document.documentElement)
