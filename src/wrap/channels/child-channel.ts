import type { ChildProcess } from 'node:child_process'
import type { RpcMessage } from '../rpc.ts'
import type { Channel } from './channel.ts'
import { endServer, type ServerProcess } from './child-process.ts'
import { JsonLines } from './json-lines.ts'
import { failureOf, refusalOf, type Unreadable } from './read-message.ts'
import { writeLine } from './stdio-channel.ts'

/** A server that runs as a child of this process and talks over its stdin and stdout. */
export class ChildChannel implements Channel {
  readonly isPipe = true
  onmessage: Channel['onmessage']
  onclose: Channel['onclose']
  onerror: Channel['onerror']
  #child: ChildProcess | undefined
  #closing: Promise<void> | undefined

  constructor(private readonly server: ServerProcess) {}

  async start(): Promise<void> {
    const { child, started } = this.server
    await started
    this.#child = child
    const lines = new JsonLines(
      (message, text) => this.onmessage?.(message, text),
      unreadable => this.#takeUnreadable(unreadable),
    )
    child.stdout?.on('data', (chunk: Buffer) => lines.push(chunk))
    child.stdin?.on('error', () => {})
    child.stdout?.on('error', () => {})
    child.on('error', error => this.onerror?.(`The wrapped server: ${error.message}`))
    child.on('exit', (code, signal) => void this.#ended(child, code, signal))
    // It may have ended before anybody listened.
    if (child.exitCode !== null || child.signalCode !== null)
      void this.#ended(child, child.exitCode, child.signalCode)
  }

  /** Whoever waits for the answer that this should have been hears so at once; and so does a server that asks. */
  #takeUnreadable(unreadable: Unreadable): void {
    const { problem, id, kind } = unreadable
    this.onerror?.(
      id === undefined
        ? `The wrapped server wrote ${problem} to its stdout, which belongs to MCP; ignored.`
        : `The wrapped server wrote ${problem}.`,
    )
    if (id === undefined) return
    if (kind === 'response') this.onmessage?.(failureOf(unreadable, id, 'The wrapped server'))
    else this.send(refusalOf(unreadable, id)).catch(() => {})
  }

  async send(message: RpcMessage): Promise<void> {
    const child = this.#child
    if (!child?.stdin?.writable) throw new Error(await whyGone(child))
    await writeLine(child.stdin, message)
  }

  pause(): void {
    this.#child?.stdout?.pause()
  }

  resume(): void {
    this.#child?.stdout?.resume()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.#child) await endServer(this.#child)
  }

  /** The last lines of a server that ends may still be on their way through the pipe. */
  async #ended(child: ChildProcess, code: number | null, signal: string | null): Promise<void> {
    if (this.#closing) return
    this.resume()
    await Promise.race([closed(child), new Promise(resolve => setTimeout(resolve, 200).unref())])
    if (this.#closing) return
    // What it started must not live on without it.
    await this.close()
    this.onclose?.(endedBy(code, signal))
  }
}

function closed(child: ChildProcess): Promise<void> {
  return new Promise(resolve => child.once('close', () => resolve()))
}

function endedBy(code: number | null, signal: string | null): string {
  return `The wrapped server ended (${signal ?? `exit code ${code}`}).`
}

/** Why nothing can be written to it. Its pipe may break a moment before its exit is told. */
async function whyGone(child: ChildProcess | undefined): Promise<string> {
  if (!child) return 'The wrapped server is not running.'
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  if (!hasEnded()) {
    const exit = new Promise<void>(resolve => child.once('exit', () => resolve()))
    await Promise.race([exit, new Promise(resolve => setTimeout(resolve, 200).unref())])
  }
  return hasEnded() ? endedBy(child.exitCode, child.signalCode) : 'The wrapped server closed its stdin.'
}
