// Decides whether a folder is the one that belongs here.

/** The newest layout of a data folder that this program knows. */
export const FOLDER_FORMAT_MAX = 1

export interface Marker {
  readonly format: number
  readonly id: string
  /** The device number of the folder's file system when the marker was written. */
  readonly device: number
}

export interface FolderFindings {
  readonly marker: Marker | 'absent' | 'damaged'
  /** The id that the user's state folder has for this path. */
  readonly remembered: string | undefined
  /**
   * images: an earlier layout of ours. other: has folders whose content would be taken for ours and
   * swept.
   */
  readonly content: 'empty' | 'images' | 'other'
  readonly acceptNew: boolean
}

export type MarkerPlan =
  | { readonly do: 'make' }
  | { readonly do: 'take'; readonly id: string }
  | {
      readonly do: 'refuse'
      readonly why: 'newer' | 'missing' | 'foreign' | 'damaged' | 'occupied'
    }

export function planMarker({ marker, remembered, content, acceptNew }: FolderFindings): MarkerPlan {
  if (marker === 'absent') {
    if (acceptNew) return { do: 'make' }
    if (remembered !== undefined) return { do: 'refuse', why: 'missing' }
    return content === 'other' ? { do: 'refuse', why: 'occupied' } : { do: 'make' }
  }
  if (marker === 'damaged') return acceptNew ? { do: 'make' } : { do: 'refuse', why: 'damaged' }
  if (marker.format > FOLDER_FORMAT_MAX) return { do: 'refuse', why: 'newer' }
  const known = remembered === undefined || remembered === marker.id
  return known || acceptNew ? { do: 'take', id: marker.id } : { do: 'refuse', why: 'foreign' }
}
