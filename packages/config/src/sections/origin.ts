/**
 * An origin stands as browsers write it into the Origin header; anything else would never be equal to one, nor would a pattern with *.
 * Schemes of apps may be in it: capacitor://localhost.
 */
export function isOrigin(text: string): boolean {
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^/?#@*\sA-Z]+$/.test(text) || !URL.canParse(text)) return false
  const { origin } = new URL(text)
  return origin === text || origin === 'null' // which it is for schemes that the standard does not know
}
