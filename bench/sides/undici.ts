/** undici alone: no schema, no session, no policy. */
import { Agent } from "@effect/platform-node/Undici"
import { epic } from "../market.ts"
import { byPromises, connections, credentials, headersOf, loginHeaders, type Open } from "../side.ts"

export const open: Open = async (baseUrl) => {
  const agent = new Agent({ connections })
  const headers = await headersOf(baseUrl)
  const { origin, pathname } = new URL(baseUrl)
  const get = (path: string) => async () => {
    const { body } = await agent.request({ origin, path: `${pathname}${path}`, method: "GET", headers })
    return body.json()
  }
  const logIn = async () => {
    const post = {
      origin,
      path: `${pathname}/session`,
      method: "POST",
      headers: loginHeaders,
      body: credentials
    } as const
    const { body } = await agent.request(post)
    return body.json()
  }
  return {
    read: byPromises(get(`/markets/${epic}`)),
    large: byPromises(get(`/prices/${epic}`)),
    login: byPromises(logIn)
  }
}
