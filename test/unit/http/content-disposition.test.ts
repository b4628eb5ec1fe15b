import { expect, test } from 'vitest'
import { attachment } from '../../../src/http/content-disposition.ts'

test.each<[string, string, string]>([
  ['a.jpg', 'a.jpg', 'a.jpg'],
  ['my photo.jpg', 'my photo.jpg', 'my%20photo.jpg'],
  ['图片.jpg', '__.jpg', '%E5%9B%BE%E7%89%87.jpg'],
  ['😀.png', '_.png', '%F0%9F%98%80.png'],
  ['a"b.jpg', 'a_b.jpg', 'a%22b.jpg'],
  ["it's (1)*.jpg", "it's (1)*.jpg", 'it%27s%20%281%29%2A.jpg'],
  ['50%20.jpg', '50_20.jpg', '50%2520.jpg'],
  ['a\r\nSet-Cookie: x', 'a__Set-Cookie: x', 'a__Set-Cookie%3A%20x'],
  ['../a\\b', '.._a_b', '.._a_b'],
  ['\ud800.jpg', '_.jpg', '%EF%BF%BD.jpg'],
  ['', 'image', 'image']
])('%j', (name, plain, exact) => {
  expect(attachment(name)).toBe(`attachment; filename="${plain}"; filename*=UTF-8''${exact}`)
})
