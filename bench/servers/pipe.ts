import { spawn } from 'node:child_process'

/** What any process in front of a server costs: bytes in, bytes out. */
const [command, ...args] = process.argv.slice(2) as [string, ...string[]]
const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
process.stdin.pipe(child.stdin)
child.stdout.pipe(process.stdout)
child.on('exit', () => process.exit())
