/** The one place that decides what an answer of IG's means. */
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { ApiError, DecodeError } from "../IgError.ts"
import { advise, isTokenCode } from "./codes.ts"
import type { Endpoint } from "./endpoint.ts"
import type { Answer, Carried } from "./send.ts"

const parseJson = Schema.decodeUnknownOption(Schema.parseJson())

const Failure = Schema.Struct({ errorCode: Schema.NonEmptyString })
const decodeFailure = Schema.decodeUnknownOption(Failure)

/** The body as JSON; `undefined` for one that is empty or anything else. */
export const json = (bytes: Uint8Array): unknown => Option.getOrUndefined(parseJson(new TextDecoder().decode(bytes)))

const ofAnotherAccount = "The bearer is alive, but the account is not one of this client's."

/** Under OAuth an `account-token` code speaks of the account in `IG-ACCOUNT-ID`: a new bearer would change nothing. */
const isForeignAccount = (errorCode: string | undefined, carried: Carried): boolean =>
  carried === "bearer" && isTokenCode(errorCode) && errorCode?.includes(".account-token-") === true

export const toApiError = (endpoint: Endpoint<unknown>, carried: Carried, answer: Answer): ApiError => {
  const errorCode = Option.getOrUndefined(decodeFailure(json(answer.body)))?.errorCode
  const advice = advise(answer.status, errorCode)
  const foreign = isForeignAccount(errorCode, carried)
  return new ApiError({
    operation: endpoint.name,
    status: answer.status,
    errorCode,
    requestId: answer.headers["x-request-id"],
    action: foreign ? "fix" : advice[endpoint.effect],
    hint: foreign ? ofAnotherAccount : advice.hint
  })
}

export const toDecodeError =
  (operation: string) =>
  (error: ParseResult.ParseError): DecodeError =>
    new DecodeError({
      operation,
      paths: ParseResult.ArrayFormatter.formatErrorSync(error).map(
        (issue) => issue.path.map(String).join(".") || "body"
      )
    })
