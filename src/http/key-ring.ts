// All keys that open this node: the local one of the command line, and those that people made.

import { findKey } from '../flows/keys.ts'
import type { ImageIndex } from '../index/image-index.ts'
import { createLocalKey, type KeyRing } from './local-key.ts'

/**
 * Looks a key up at each call, so that a revoked one opens nothing from then on. In a mesh without
 * a secret, which anybody on the local network may join, only keys that were made here count.
 */
export function createKeyRing(
  index: ImageIndex,
  localSecret: string,
  haveSecret: () => boolean
): KeyRing {
  const local = createLocalKey(localSecret)
  const find = (bearer: string) => findKey(index, bearer, { madeHere: !haveSecret() })
  return { grantOf: (bearer) => local.grantOf(bearer) ?? find(bearer) }
}
