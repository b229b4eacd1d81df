/** Whether only this machine can reach a server that listens there. */
export function isLoopback(host = '127.0.0.1'): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host)
}
