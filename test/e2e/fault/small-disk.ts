import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** A disk that a test can fill. */
export interface SmallDisk {
  readonly folder: string
  /** Leaves no room at all. */
  fill(): void
  free(): void
  /** Gives the disk back; nothing on it is in use any more. */
  unmount(): void
}

const BLOCK = Buffer.alloc(64 * 1024)
const PAGE = 4096

/** A file system in memory; only where this user may mount one. */
export function mountSmallDisk(parent: string, megabytes: number): SmallDisk | undefined {
  const folder = join(parent, 'disk')
  mkdirSync(folder)
  const options = `size=${megabytes}m,mode=700`
  if (process.platform !== 'linux') return undefined
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder]).status !== 0) return undefined
  const ballast = join(folder, 'ballast')
  const unmount = () => void spawnSync('umount', ['--lazy', folder])
  // A test run that is cut short must not leave mounts behind.
  process.once('exit', unmount)
  return {
    folder,
    fill: () => fillUp(ballast),
    free: () => rmSync(ballast),
    unmount() {
      process.off('exit', unmount)
      unmount()
    },
  }
}

function fillUp(path: string): void {
  const file = openSync(path, 'a')
  try {
    for (const block of [BLOCK, BLOCK.subarray(0, PAGE)]) writeUntilFull(file, block)
  } finally {
    closeSync(file)
  }
}

function writeUntilFull(file: number, block: Uint8Array): void {
  try {
    while (writeSync(file, block) === block.length);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}
