// Whose code comes with this program: under which licences, and what runs when it is installed. A
// package that is new in one of these ways is looked at by a person first.

import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

interface Package {
  readonly version: string
  readonly license?: string
  readonly dev?: boolean
  readonly integrity?: string
  readonly hasInstallScript?: boolean
}

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  readonly packages: Readonly<Record<string, Package>>
}
const packages = Object.entries(lock.packages)
  .filter(([place]) => place !== '')
  .map(([place, about]) => ({ place, name: place.replace(/^.*node_modules\//, ''), ...about }))

/** They ask for nothing but their text to be kept. */
const PERMISSIVE = ['MIT', 'ISC', 'Apache-2.0', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0']
/** The library of images, linked as it was built by its authors; nothing of it is changed. */
const IMAGES = /^@img\/sharp-/
/** Used to build and test alone, and not changed either; WTFPL asks for nothing at all. */
const DEV_ONLY = ['MPL-2.0', 'WTFPL']
/**
 * level: picks the binary that it brings, and compiles where there is none. Without it the index
 * has no database.
 */
const INSTALL_SCRIPTS = ['classic-level']

/** Any of what stands between OR, all of what stands between AND. */
function isAllowed(license: string, allowed: readonly string[]): boolean {
  const plain = license.replace(/[()]/g, '')
  return plain
    .split(' OR ')
    .some((choice) => choice.split(' AND ').every((one) => allowed.includes(one.trim())))
}

function allowedFor({ name, dev }: { readonly name: string; readonly dev?: boolean | undefined }) {
  return [
    ...PERMISSIVE,
    ...(IMAGES.test(name) ? ['LGPL-3.0-or-later'] : []),
    ...(dev === true ? DEV_ONLY : [])
  ]
}

test('an expression is allowed as a whole, or by one of its choices', () => {
  const all = ['MIT', '(MIT OR GPL-3.0-only)', 'MIT AND ISC', 'MIT AND GPL-3.0-only', 'UNLICENSED']
  expect(all.map((one) => isAllowed(one, PERMISSIVE))).toEqual([true, true, true, false, false])
})

test('every package has a licence that is known to fit', () => {
  expect(packages.length).toBeGreaterThan(100)
  const others = packages.filter((one) => !isAllowed(one.license ?? 'none', allowedFor(one)))
  expect(others.map(({ name, license }) => `${name}: ${license}`)).toEqual([])
})

test('nothing runs at an installation but what is named here', () => {
  const scripts = packages.filter(({ hasInstallScript }) => hasInstallScript)
  expect([...new Set(scripts.map(({ name }) => name))].sort()).toEqual(INSTALL_SCRIPTS)
})

test('every package is held to its bytes', () => {
  const loose = packages.filter(({ integrity }) => !/^sha512-/.test(integrity ?? ''))
  expect(loose.map(({ name }) => name)).toEqual([])
})

describe('what is installed', () => {
  const installed = packages.filter(({ place }) => existsSync(`${place}/package.json`))
  const read = (place: string) => JSON.parse(readFileSync(`${place}/package.json`, 'utf8'))

  test('says the same of itself', () => {
    expect(installed.length).toBeGreaterThan(100)
    const others = installed.flatMap(({ place, name, version, dev }) => {
      const about = read(place)
      const license = typeof about.license === 'string' ? about.license : about.license?.type
      const fits = isAllowed(license ?? 'none', allowedFor({ name, dev }))
      return fits && about.version === version ? [] : [`${name} ${about.version}: ${license}`]
    })
    expect(others).toEqual([])
  })

  test('runs nothing at an installation that the lock file does not know', () => {
    const hooks = ['preinstall', 'install', 'postinstall']
    const running = installed.filter(({ place, name }) => {
      const { scripts = {} } = read(place)
      const isBuilt = existsSync(`${place}/binding.gyp`)
      return !INSTALL_SCRIPTS.includes(name) && (isBuilt || hooks.some((hook) => hook in scripts))
    })
    expect(running.map(({ name }) => name)).toEqual([])
  })
})
