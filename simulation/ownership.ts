/** Whose tokens a request carries, and which account it acts on: by what the program itself has asked for. */
import type { Session } from "@effect-ig/core/SessionState"
import type { Life } from "./life.ts"
import { accounts, type Program } from "./program.ts"
import type { Judge } from "./record.ts"
import { carries, type Sent } from "./watch.ts"

/** What the client's own session was at some time between the beginning of a call and its leaving. */
const heldDuring = ({ states }: Life, { at, since }: Sent): ReadonlyArray<Session> =>
  states.flatMap((state, index) => {
    const until = states[index + 1]?.at ?? Number.POSITIVE_INFINITY
    return state.at <= at && until >= since ? [state.session] : []
  })

/** Where the session itself may be, by the login and by switching; `withAccount` moves it nowhere. */
const placesOf = ({ callers }: Program): ReadonlyArray<string> => [
  accounts[0],
  ...callers.flatMap(({ steps }) => steps.flatMap((step) => (step.do === "switch" ? [step.to] : [])))
]

const isAsAsked = (life: Life, owner: ReadonlyMap<string, string>, sent: Sent): boolean => {
  const { account, bearer, securityToken, wanted } = sent
  if (bearer === undefined && wanted !== undefined) return owner.get(securityToken ?? "") === wanted
  return heldDuring(life, sent).some(
    (session) =>
      carries(session, sent) && (session._tag !== "OAuthSession" || account === (wanted ?? session.accountId))
  )
}

/** Of callers' calls it is known exactly; an exchange of the session's own is on an account of the session's own. */
export const oneFamilyAndTheRightAccount: Judge = (program, { issued, lives }) => {
  const owner = new Map(issued.map(({ accountId, value }) => [value, accountId]))
  const places = placesOf(program)
  return lives.flatMap((life) =>
    life.watch.sent.flatMap((sent) => {
      const { account, bearer, caller, cst, kind, securityToken, wanted } = sent
      if (bearer !== undefined && (cst !== undefined || securityToken !== undefined)) {
        return ["a request carried two families"]
      }
      if (kind === "call") {
        return caller < 0 || isAsAsked(life, owner, sent)
          ? []
          : [
              `a call for ${wanted ?? "the session's own account"} acted on ${account ?? owner.get(securityToken ?? "")}`
            ]
      }
      return account === undefined || places.includes(account) ? [] : [`an exchange of the session acted on ${account}`]
    })
  )
}
