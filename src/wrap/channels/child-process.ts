import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import spawn from 'cross-spawn'

export interface Command {
  readonly command: string
  readonly args: readonly string[]
  /** Beside the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined
  readonly cwd?: string | undefined
}

/** How long the server has to leave when its stdin closes, when it is told to, when it is killed: under 2 s in all. */
const GRACE_MS = { asked: 500, told: 500, killed: 200 }
const POLL_MS = 20

const WINDOWS = process.platform === 'win32'

/** A server that was started, or is about to be. */
export interface ServerProcess {
  readonly child: ChildProcess
  /** Rejects where it cannot be started, and says why. */
  readonly started: Promise<void>
}

/** Servers that may still run; whatever ends this process ends them. */
const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) if (isAlive(child)) signalGroup(child, 'SIGKILL')
})

/**
 * Starts a server in a process group of its own, so that it can be ended with all that it started (`npx` starts
 * the server as a grandchild). It gets the whole environment: whoever configured this process meant it for the server.
 * On Windows, where `npx` and its like are .cmd files, cross-spawn finds and quotes what only a shell can start.
 */
export function startServer({ command, args, env, cwd }: Command): ServerProcess {
  const child = spawn(command, [...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    windowsHide: true,
    detached: !WINDOWS,
    ...(env === undefined ? {} : { env: { ...process.env, ...env } }),
    ...(cwd === undefined ? {} : { cwd }),
  })
  running.add(child)
  const started = hasStarted(child, command, cwd)
  // Whoever attaches later hears of it then.
  started.catch(() => running.delete(child))
  return { child, started }
}

function hasStarted(child: ChildProcess, command: string, cwd: string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (error: NodeJS.ErrnoException) => {
      const isFolderMissing = cwd !== undefined && !existsSync(cwd)
      const why = isFolderMissing
        ? 'the folder that it is to run in is not there.'
        : error.code === 'ENOENT'
          ? 'there is no such command. Check its spelling and that it is on the PATH.'
          : error.code === 'EACCES'
            ? 'it may not be executed. Check its permissions.'
            : error.message
      reject(new Error(`Cannot start '${command}': ${why}`))
    })
  })
}

/** Ends a server and all that it started: first by closing its stdin, then by asking, then by force. */
export async function endServer(child: ChildProcess): Promise<void> {
  if (!running.has(child)) return
  child.stdin?.end()
  if (!(await gone(child, GRACE_MS.asked))) {
    signalGroup(child, 'SIGTERM')
    if (!(await gone(child, GRACE_MS.told))) {
      signalGroup(child, 'SIGKILL')
      await gone(child, GRACE_MS.killed)
    }
  }
  running.delete(child)
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
