/** Addresses as a browser writes them. */

/** 'https://[::1]:8161' */
export function webAddress(isTls: boolean, host: string, port: number): string {
  return `${isTls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`
}
