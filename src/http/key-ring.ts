// All keys that open this node: the local one of the command line, and those that people made.

import { findKey, type Seal, scopesOf } from '../flows/keys.ts'
import type { ImageIndex } from '../index/image-index.ts'
import { createLocalKey, type KeyRing } from './local-key.ts'

/** Looks a key up at each call, so that a revoked one opens nothing from then on. */
export function createKeyRing(index: ImageIndex, localSecret: string, seal: Seal): KeyRing {
  const local = createLocalKey(localSecret)
  return {
    grantOf: (bearer) => local.grantOf(bearer) ?? findKey(index, bearer, seal),
    maySign(id) {
      const scopes = scopesOf(index, id, seal)
      return scopes?.includes('write') === true || scopes?.includes('admin') === true
    }
  }
}
