/**
 * The user that this process acts for. Undefined where there are none (Windows), or where it may not be asked for (Deno
 * without `--allow-sys`): then nothing can be said of whose a file is.
 */
export function currentUser(): number | undefined {
  try {
    return process.geteuid?.()
  } catch {
    return undefined
  }
}

/** Whether a file of this owner certainly is somebody else's. */
export function isForeign(uid: number): boolean {
  const user = currentUser()
  return user !== undefined && uid !== user
}
