// Addresses of the HTTP interface, as commands write them.

export const API = '/file-sync/api/file-sync'

/** Each part of a path is encoded, its slashes stay. */
export function inAddress(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}
