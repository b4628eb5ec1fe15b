// Hashes as the API shows them.

import { hash } from 'node:crypto'

export const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes)
export const md5 = (bytes: Uint8Array): string => hash('md5', bytes)
