// The Content-Disposition header of a download: RFC 6266, with the name in both its forms.

/**
 * `fileName` may be any text: the plain form keeps what every client can read, the other one (RFC
 * 8187) says it all.
 */
export function attachment(fileName: string): string {
  const name = fileName.toWellFormed().replace(/[\p{Cc}/\\]/gu, '_') || 'image'
  // Quotes would end the plain form; some clients decode percent signs in it.
  const plain = name.replace(/[^\x20-\x7e]|["%]/gu, '_')
  const exact = encodeURIComponent(name).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`
  )
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`
}
