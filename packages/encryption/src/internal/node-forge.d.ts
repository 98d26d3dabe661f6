// The parts of forge that are imported deep, so that a bundle carries what RSA needs and nothing else. Importing forge's
// `rsa.js` instead would carry its ciphers, digests and random numbers too, and ask for Node's `crypto` by `require`.
declare module "node-forge/lib/asn1.js" {
  import type forge from "node-forge"

  interface Options {
    readonly strict: boolean
    readonly parseAllBytes: boolean
    readonly decodeBitStrings: boolean
  }
  const asn1: Pick<typeof forge.asn1, "Class" | "Type"> & {
    readonly fromDer: (bytes: forge.util.ByteBuffer, options: Options) => forge.asn1.Asn1
  }
  export default asn1
}

declare module "node-forge/lib/jsbn.js" {
  import type forge from "node-forge"
  const jsbn: Pick<typeof forge.jsbn, "BigInteger">
  export default jsbn
}

declare module "node-forge/lib/util.js" {
  import type forge from "node-forge"
  const util: Pick<
    typeof forge.util,
    "bytesToHex" | "createBuffer" | "decode64" | "encode64" | "encodeUtf8" | "hexToBytes"
  >
  export default util
}
