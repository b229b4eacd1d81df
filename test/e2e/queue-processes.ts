import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const MAIN = at('../../dist/cli/main.js')
const TOOLS = at('./fixtures/queue-tools.mjs')
const FRONT = at('./fixtures/queue-front.mjs')

export interface Polled {
  readonly status: string
  readonly value?: unknown
  readonly errorCode?: string
  readonly ms: number
}

/** A process that can be killed at any moment. */
interface Killable {
  readonly child: ChildProcess
  kill(): Promise<void>
}

function killable(child: ChildProcess): Killable {
  const gone = new Promise<void>(resolve => child.once('exit', () => resolve()))
  return {
    child,
    kill() {
      child.kill('SIGKILL')
      return gone
    },
  }
}

/** A worker, by the command. */
export async function startWorker(url: string, record: string, ...options: string[]): Promise<Killable> {
  const args = ['work', '--module', TOOLS, '--store', url, '--lease', '3s', ...options]
  const env = { ...process.env, QUEUE_RECORD: record }
  const worker = killable(
    spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] }),
  )
  let log = ''
  await new Promise<void>((resolve, reject) => {
    worker.child.stderr?.on('data', (chunk: Buffer) => {
      log += chunk
      if (log.includes('[working]')) resolve()
    })
    worker.child.once('exit', () => reject(new Error(`The worker ended before it began: ${log}`)))
  })
  return worker
}

const GONE = new Error('The front was killed.')

/** A front, and what can be asked of it. What it is asked when it is killed, or after that, is rejected. */
export class Front {
  readonly #waiting = new Map<number, { resolve(answer: unknown): void; reject(error: Error): void }>()
  #asked = 0
  #isGone = false

  private constructor(private readonly process: Killable) {
    process.child.once('exit', () => {
      this.#isGone = true
      for (const { reject } of this.#waiting.values()) reject(GONE)
      this.#waiting.clear()
    })
  }

  static async start(url: string, record: string): Promise<Front> {
    const env = { ...process.env, QUEUE_RECORD: record }
    const child = spawn(process.execPath, [FRONT, url], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    const front = new Front(killable(child))
    const ready = new Promise<void>(resolve => front.#listen(resolve))
    child.stdin.on('error', () => {})
    await ready
    return front
  }

  call(tool: string, input: unknown): Promise<string> {
    return this.#ask({ verb: 'call', tool, input }) as Promise<string>
  }

  poll(refId: string, wait?: string): Promise<Polled> {
    return this.#ask({ verb: 'poll', refId, wait }) as Promise<Polled>
  }

  kill(): Promise<void> {
    return this.process.kill()
  }

  #ask(request: object): Promise<unknown> {
    if (this.#isGone) return Promise.reject(GONE)
    const id = ++this.#asked
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.process.child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`)
    })
  }

  #listen(onReady: () => void): void {
    createInterface({ input: this.process.child.stdout as NodeJS.ReadableStream }).on('line', line => {
      const { id, answer, error, ready } = JSON.parse(line)
      if (ready) return onReady()
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === undefined) waiting?.resolve(answer)
      else waiting?.reject(new Error(error))
    })
  }
}
