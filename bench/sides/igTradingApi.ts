/** The client that most people use: no schema, no allowances. */
import { APIClient } from "ig-trading-api"
import { Agent } from "node:http"
import { epic } from "../market.ts"
import { apiKey, byPromises, connections, identifier, type Open, password } from "../side.ts"

export const open: Open = async (baseUrl) => {
  const { rest } = new APIClient(baseUrl, { apiKey, username: identifier, password })
  rest.defaults.httpAgent = new Agent({ keepAlive: true, maxSockets: connections })
  await rest.login.createSession(identifier, password)
  return {
    read: byPromises(() => rest.market.getMarketDetails(epic)),
    login: byPromises(() => rest.login.createSession(identifier, password))
  }
}
