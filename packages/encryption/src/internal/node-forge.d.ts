// The parts of forge that are imported deep, so that a bundle carries RSA and nothing else. Importing `rsa.js` fills
// `pki`, `asn1` and `util` of the one object that `forge.js` exports.
declare module "node-forge/lib/forge.js" {
  import type forge from "node-forge"
  const parts: Pick<typeof forge, "asn1" | "pki" | "util">
  export default parts
}

declare module "node-forge/lib/rsa.js" {}
