// @ts-check
// The node's HTTP interface as this page uses it: same origin, JSON, one kind of error.

import { sayRefusal } from './reasons.js'

/**
 * @typedef {{ path: string, filename: string, size: number, mime_type: string,
 *   hash: string, sha256: string, cid: string, width: number | null, height: number | null,
 *   created_at: string, state?: string }} ListedImage
 * @typedef {{ total: number | null, next_cursor: string | null, images: ListedImage[] }} ImageList
 * @typedef {{ file_path: string, duplicate: boolean, duplicate_of?: string | null }} Uploaded
 * @typedef {{ status: number, method: string, detail: string }} Denial
 * @typedef {ReturnType<typeof createApi>} Api
 */

/** A refusal of the node, or no answer at all (status 0). The message is a sentence for people. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/**
 * The sentence in an error answer: `detail`, or what is wrong with each field.
 * @param {unknown} answer
 * @param {number} status
 */
export function detailOf(answer, status) {
  const detail = /** @type {{ detail?: unknown } | null} */ (answer)?.detail
  if (typeof detail === 'string' && detail !== '') return detail
  const messages = Array.isArray(detail) ? detail.map((fault) => fault?.msg).filter(Boolean) : []
  return messages.length > 0 ? messages.join('; ') : `HTTP ${status}`
}

/**
 * Posts JSON; undefined if there is no answer.
 * @param {string} path
 * @param {unknown} body
 * @returns {Promise<Response | undefined>}
 */
export function sendJson(path, body) {
  const headers = { 'Content-Type': 'application/json' }
  const request = { method: 'POST', headers, body: JSON.stringify(body) }
  return fetch(path, request).catch(() => undefined)
}

/**
 * @param {{ language: import('./language.js').Language,
 *   onDenied: (denial: Denial) => void }} parts
 */
export function createApi({ language, onDenied }) {
  /** @returns {Record<string, string>} */
  function headers() {
    return { Accept: 'application/json', 'Accept-Language': language.name }
  }

  /**
   * @param {string} method
   * @param {number} status
   * @param {unknown} answer
   */
  function refusal(method, status, answer) {
    const said = /** @type {Parameters<typeof sayRefusal>[1]} */ (answer)
    const detail = sayRefusal(detailOf(answer, status), said, language)
    if (status === 401 || status === 403) onDenied({ status, method, detail })
    return new ApiError(status, detail)
  }

  return {
    /**
     * Why something can't be shown. What the node says of keys stands above all views already.
     * @param {ApiError} error
     */
    whyNot({ status, message }) {
      if (status === 401 || status === 403) return language.say('view.denied')
      return language.say('view.failed', { detail: message })
    },

    /**
     * The answer as the contract describes it. Throws ApiError.
     * @param {'GET' | 'POST' | 'PUT' | 'DELETE'} method
     * @param {string} url relative to the page
     * @param {{ body?: unknown, timeoutMs?: number, inBackground?: boolean }} [options]
     *   `inBackground`: long work is to be answered with its task
     * @returns {Promise<any>}
     */
    async call(method, url, { body, timeoutMs = 60_000, inBackground = false } = {}) {
      /** @type {RequestInit} */
      const request = { method, headers: headers(), signal: AbortSignal.timeout(timeoutMs) }
      if (inBackground) request.headers = { ...request.headers, Prefer: 'respond-async' }
      if (body !== undefined) {
        request.headers = { ...request.headers, 'Content-Type': 'application/json' }
        request.body = JSON.stringify(body)
      }
      const response = await fetch(url, request).catch(() => undefined)
      const answer = await response?.json().catch(() => undefined)
      if (response && !response.ok) throw refusal(method, response.status, answer)
      if (answer === undefined) throw new ApiError(0, language.say('noAnswer'))
      return answer
    },

    /**
     * Reads text that comes as it happens, until the signal is aborted or the node ends it. By
     * fetch and not by EventSource, which does not tell why it is refused. Throws ApiError.
     * @param {string} url relative to the page
     * @param {AbortSignal} signal
     * @param {(text: string) => void} onText
     */
    async follow(url, signal, onText) {
      const response = await fetch(url, { headers: headers(), signal }).catch(() => undefined)
      if (response && !response.ok) {
        throw refusal('GET', response.status, await response.json().catch(() => undefined))
      }
      const reader = response?.body?.pipeThrough(new TextDecoderStream()).getReader()
      if (reader === undefined) throw new ApiError(0, language.say('noAnswer'))
      for (;;) {
        const read = await reader.read().catch(() => undefined)
        if (read === undefined || read.done) return
        onText(read.value)
      }
    },

    /**
     * Sends one file; `answer` rejects with ApiError. By XMLHttpRequest: fetch tells no progress.
     * @param {File} file
     * @param {(share: number) => void} onProgress 0 to 1
     * @returns {{ answer: Promise<Uploaded>, cancel: () => void }}
     */
    upload(file, onProgress) {
      const request = new XMLHttpRequest()
      const form = new FormData()
      form.append('file', file)
      request.open('POST', 'file-sync/api/file-sync/upload')
      for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value)
      request.responseType = 'json'
      request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0)
      const answer = new Promise((resolve, reject) => {
        request.onload = () => {
          const { status, response } = request
          if (status < 300 && response) resolve(response)
          else reject(refusal('POST', status, response))
        }
        request.onerror = () => reject(new ApiError(0, language.say('upload.broken')))
        request.onabort = () => reject(new ApiError(0, language.say('upload.cancelled')))
      })
      request.send(form)
      return { answer, cancel: () => request.abort() }
    }
  }
}
