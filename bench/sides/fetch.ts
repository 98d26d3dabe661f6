/** Node's own `fetch`: no schema, no session, no policy. */
import { Agent, setGlobalDispatcher } from "@effect/platform-node/Undici"
import { epic } from "../market.ts"
import { byPromises, connections, headersOf, type Open } from "../side.ts"

export const open: Open = async (baseUrl) => {
  setGlobalDispatcher(new Agent({ connections }))
  const headers = await headersOf(baseUrl)
  const get = (path: string) => async () => (await fetch(`${baseUrl}${path}`, { headers })).json()
  return { read: byPromises(get(`/markets/${epic}`)), large: byPromises(get(`/prices/${epic}`)) }
}
