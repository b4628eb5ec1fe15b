// What tests send to a node.

const API = '/file-sync/api/file-sync'

export interface Answer {
  readonly status: number
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  readonly body: any
  readonly headers: Headers
}

export async function send(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true
  return {
    status: response.status,
    body: isJson ? JSON.parse(text) : text,
    headers: response.headers
  }
}

export function postJson(url: string, body: unknown): Promise<Answer> {
  return send(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
}

/** A form upload; fields come before the file. */
export function upload(
  url: string,
  fileName: string,
  bytes: Uint8Array,
  fields: Readonly<Record<string, string>> = {}
): Promise<Answer> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append('file', new Blob([bytes as Uint8Array<ArrayBuffer>]), fileName)
  return send(`${url}${API}/upload`, { method: 'POST', body: form })
}

export function put(url: string, path: string, bytes: Uint8Array, headers = {}): Promise<Answer> {
  return send(`${url}/images/${path}`, {
    method: 'PUT',
    body: bytes as Uint8Array<ArrayBuffer>,
    headers
  })
}

export async function bytesAt(url: string): Promise<{ status: number; bytes: Buffer }> {
  const response = await fetch(url)
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) }
}
