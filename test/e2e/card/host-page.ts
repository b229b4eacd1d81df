import type { CallToolResult } from '@modelcontextprotocol/client'
import {
  AppBridge,
  type McpUiHostContext,
  PostMessageTransport,
} from '@modelcontextprotocol/ext-apps/app-bridge'

/** A chat with one card in it, as a host of MCP Apps shows it: bundled for the browser by `host.ts`. */

interface ServerTool {
  readonly name: string
  readonly arguments?: Record<string, unknown> | undefined
}

const frame = document.querySelector('iframe')!

async function callServer(called: ServerTool): Promise<CallToolResult> {
  const response = await fetch('/call', { method: 'POST', body: JSON.stringify(called) })
  if (!response.ok) throw new Error(await response.text())
  return response.json()
}

/** Shows the card beside a call of a tool. */
async function show(called: ServerTool, hostContext: McpUiHostContext, capabilities: object): Promise<void> {
  const bridge = new AppBridge(null, { name: 'host', version: '1' }, capabilities, { hostContext })
  bridge.oncalltool = params => callServer(params)
  bridge.onsizechange = ({ height }) => {
    if (height !== undefined) frame.style.height = `${height}px`
  }
  const isReady = new Promise<void>(resolve => {
    bridge.oninitialized = () => resolve()
  })
  const { contentWindow } = frame
  await bridge.connect(new PostMessageTransport(contentWindow!, contentWindow!))
  frame.src = '/card'
  await isReady
  await bridge.sendToolInput({ arguments: called.arguments ?? {} })
  Object.assign(window, { bridge })
  await bridge.sendToolResult(await callServer(called))
}

Object.assign(window, { show })
