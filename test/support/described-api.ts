// What a node says of its own HTTP interface.

import type { ApiText } from '../../scripts/client-reference.ts'
import { startHttpNode } from './http-node.ts'

export async function describedApi(): Promise<ApiText> {
  const http = await startHttpNode()
  try {
    return (await http.send('/openapi.json')).json
  } finally {
    await http.close()
  }
}
