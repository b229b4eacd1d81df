import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Command {
  readonly command: string
  readonly args: readonly string[]
}

/** How long the server has to leave when its stdin closes, when it is told to, when it is killed: under 2 s in all. */
const GRACE_MS = { asked: 500, told: 500, killed: 200 }
const POLL_MS = 20

const WINDOWS = process.platform === 'win32'

/**
 * Starts a server in a process group of its own, so that it can be ended with all that it started (`npx` starts
 * the server as a grandchild). It gets the whole environment: whoever configured this process meant it for the server.
 */
export function startServer({ command, args }: Command): ChildProcess {
  const options: SpawnOptions = { stdio: ['pipe', 'pipe', 'inherit'], windowsHide: true }
  if (!WINDOWS) return spawn(command, [...args], { ...options, detached: true })
  // `npx` and its like are .cmd files there, which only a shell can start.
  const line = [command, ...args].map(quoteForCmd).join(' ')
  return spawn(process.env.comspec ?? 'cmd.exe', ['/d', '/s', '/c', `"${line}"`], {
    ...options,
    windowsVerbatimArguments: true,
  })
}

function quoteForCmd(argument: string): string {
  const quoted = `"${argument.replace(/(\\*)"/g, '$1$1\\"').replace(/(\\*)$/, '$1$1')}"`
  return quoted.replace(/[()%!^"<>&|]/g, '^$&')
}

/** Ends a server and all that it started: first by closing its stdin, then by asking, then by force. */
export async function endServer(child: ChildProcess): Promise<void> {
  child.stdin?.end()
  if (await gone(child, GRACE_MS.asked)) return
  signalGroup(child, 'SIGTERM')
  if (await gone(child, GRACE_MS.told)) return
  signalGroup(child, 'SIGKILL')
  await gone(child, GRACE_MS.killed)
}

async function gone(child: ChildProcess, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs
  while (isAlive(child)) {
    if (performance.now() >= deadline) return false
    await sleep(POLL_MS)
  }
  return true
}

function isAlive(child: ChildProcess): boolean {
  if (child.pid === undefined) return false
  if (WINDOWS) return child.exitCode === null && child.signalCode === null
  return signal(-child.pid, 0)
}

/** By force and at once: for the last moment of this process. */
export function killServer(child: ChildProcess): void {
  if (isAlive(child)) signalGroup(child, 'SIGKILL')
}

function signalGroup(child: ChildProcess, name: 'SIGTERM' | 'SIGKILL'): void {
  if (child.pid === undefined) return
  if (WINDOWS) spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore' })
  else signal(-child.pid, name)
}

function signal(target: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(target, name)
  } catch {
    return false
  }
}
