import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import {
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  stat,
  unlink,
} from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InvalidArgument, QuotaFull, StoreUnavailable } from '../core/errors.ts'
import { checkFileName, fileNamePart } from './file-name.ts'
import { isOwnTemporary, removeLeftover, temporaryName } from './temporary.ts'

export interface ExportFolderOptions {
  /** Bytes of all files in it. @defaultValue 4 GiB */
  readonly maxBytes?: number | undefined
}

/** A file that was written. */
export interface ExportedFile {
  readonly name: string
  /** `file:` */
  readonly uri: string
  readonly bytes: number
  /** Of its content, in hex. */
  readonly sha256: string
}

export interface NewFile {
  /** A plain file name that nobody else has. */
  readonly name: string
  readonly content: AsyncIterable<string | Uint8Array>
  /** Whose subfolder it goes to. Absent: the folder itself. */
  readonly owner?: string | undefined
  readonly signal?: AbortSignal | undefined
}

const DEFAULT_MAX_BYTES = 4 * 1024 ** 3

/** A folder that the operator allowed files to be written to. Nothing outside of it is written, and nothing that is there is changed. */
export class ExportFolder {
  readonly #path: string
  readonly #maxBytes: number
  /** Of files that are being written. */
  #writing = 0
  #real: Promise<string> | undefined

  constructor(path: string, { maxBytes = DEFAULT_MAX_BYTES }: ExportFolderOptions = {}) {
    if (typeof path !== 'string' || path === '')
      throw new InvalidArgument('exportDir is the path of a folder.')
    this.#path = resolve(path)
    this.#maxBytes = maxBytes
  }

  /** The name of a new file. */
  nameFor(label: string, extension: string): string {
    return `${fileNamePart(label)}-${randomBytes(4).toString('hex')}.${extension}`
  }

  /**
   * Writes a new file for its owner alone (mode 0600). Its name appears when it is whole and on the disk.
   * @throws InvalidArgument for a name that is none, or is taken; QuotaFull; StoreUnavailable where the folder cannot be written
   */
  async write({ name, content, owner, signal }: NewFile): Promise<ExportedFile> {
    checkFileName(name)
    return this.#withoutPaths(async () => {
      const folder = await this.#folderOf(owner)
      const path = join(folder, name)
      if (await exists(path)) throw taken()
      const temporary = join(folder, temporaryName())
      try {
        const written = await this.#writeTo(temporary, content, signal)
        await publish(temporary, path)
        await syncFolder(folder)
        return { name, uri: pathToFileURL(path).href, ...written }
      } finally {
        await unlink(temporary).catch(() => {})
      }
    })
  }

  async #writeTo(path: string, content: NewFile['content'], signal: AbortSignal | undefined) {
    // Nothing that is there is opened, and no link is followed.
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)
    const file = await open(path, flags, 0o600)
    const hash = createHash('sha256')
    const before = await this.#used()
    let bytes = 0
    try {
      for await (const chunk of content) {
        signal?.throwIfAborted()
        const data = typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk
        bytes += data.length
        this.#writing += data.length
        if (before + this.#writing > this.#maxBytes) throw this.#full()
        hash.update(data)
        await writeAll(file, data)
      }
      await file.sync()
    } finally {
      this.#writing -= bytes
      await file.close()
    }
    return { bytes, sha256: hash.digest('hex') }
  }

  /** The folder, or that of one owner within it; made where it is missing. */
  async #folderOf(owner: string | undefined): Promise<string> {
    this.#real ??= this.#open()
    this.#real.catch(() => {
      this.#real = undefined
    })
    const folder = await this.#real
    // Somebody may have put a link in its place.
    if ((await realpath(folder)) !== folder) throw new Error('the export folder was replaced')
    if (owner === undefined) return folder
    const own = join(folder, createHash('sha256').update(owner).digest('hex').slice(0, 32))
    await mkdir(own, { mode: 0o700 }).catch(ifNot('EEXIST'))
    const found = await lstat(own)
    if (!found.isDirectory()) throw new Error('the folder of an owner is none')
    return own
  }

  async #open(): Promise<string> {
    await mkdir(this.#path, { recursive: true, mode: 0o700 })
    return realpath(this.#path)
  }

  /** Bytes of files in the folder and in those of its owners, without what this process writes. What killed processes left goes. */
  async #used(): Promise<number> {
    const folder = await (this.#real as Promise<string>)
    return bytesIn(folder, 1)
  }

  #full(): QuotaFull {
    return new QuotaFull(
      `The folder for exports may hold ${this.#maxBytes} bytes, and this file has no room in it. Export less, or have the operator make room.`,
    )
  }

  /** What the system says of files names paths, which are for the operator. */
  async #withoutPaths<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      const isOfSystem = cause instanceof Error && typeof code === 'string' && /^E[A-Z]+$/.test(code)
      if (!isOfSystem && (cause as Error)?.constructor !== Error) throw cause
      throw new StoreUnavailable('The folder for exports cannot be written at the moment.', { cause })
    }
  }
}

async function bytesIn(folder: string, levels: number): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) bytes += levels > 0 ? await bytesIn(path, levels - 1) : 0
    // Those that are being written are counted where they are.
    else if (entry.isFile() && !isOwnTemporary(entry.name) && !(await removeLeftover(path, entry.name)))
      bytes += await stat(path).then(
        ({ size }) => size,
        () => 0,
      )
  }
  return bytes
}

async function writeAll(file: FileHandle, data: Uint8Array): Promise<void> {
  for (let at = 0; at < data.length; ) at += (await file.write(data, at)).bytesWritten
}

/** A link, unlike a rename, never takes the place of a file that is there. */
async function publish(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw taken()
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EOPNOTSUPP') throw error
    // A file system without links: the name is taken first.
    const placeholder = await open(path, 'wx', 0o600).catch(cause => {
      throw (cause as NodeJS.ErrnoException).code === 'EEXIST' ? taken() : cause
    })
    await placeholder.close()
    await rename(temporary, path)
  }
}

/** Windows has no such thing, and needs none. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => {})
  await handle?.close()
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    error => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw error
    },
  )
}

function ifNot(code: string) {
  return (error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== code) throw error
  }
}

function taken(): InvalidArgument {
  return new InvalidArgument(
    'There is a file of that name. Files are never replaced: give another name, or none.',
  )
}
