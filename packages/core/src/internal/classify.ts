/** The one place that decides what an answer of IG's means. */
import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type { Description } from "../Endpoint.ts"
import { ApiError, DecodeError } from "../IgError.ts"
import { advise, isTokenCode } from "./codes.ts"
import type { Answer, Carried } from "./send.ts"

const decoder = new TextDecoder()

const parseJson = Option.liftThrowable((text: string): unknown => JSON.parse(text))

const Failure = Schema.Struct({ errorCode: Schema.NonEmptyString })
const decodeFailure = Schema.decodeUnknownOption(Failure)

/** The body as JSON; `undefined` for one that is empty or anything else. */
export const json = (bytes: Uint8Array): unknown => Option.getOrUndefined(parseJson(decoder.decode(bytes)))

const ofAnotherAccount = "The bearer is alive, but the account is not one of this client's."

/** Under OAuth an `account-token` code speaks of the account in `IG-ACCOUNT-ID`: a new bearer would change nothing. */
const isForeignAccount = (errorCode: string | undefined, carried: Carried): boolean =>
  carried === "bearer" && isTokenCode(errorCode) && errorCode?.includes(".account-token-") === true

export const toApiError = (endpoint: Description, carried: Carried, answer: Answer): ApiError => {
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

const pathsBelow = (issue: ParseResult.ParseIssue, path: ReadonlyArray<PropertyKey>): ReadonlyArray<string> => {
  switch (issue._tag) {
    case "Pointer":
      return pathsBelow(issue.issue, path.concat(issue.path))
    case "Composite":
      return Arr.ensure(issue.issues).flatMap((part) => pathsBelow(part, path))
    case "Refinement":
    case "Transformation":
      return pathsBelow(issue.issue, path)
    case "Type":
    case "Missing":
    case "Unexpected":
    case "Forbidden":
      return [path.map(String).join(".") || "body"]
  }
}

/**
 * Each place once, however many complaints there are of it. Effect's own formatters also print what stood there: a secret
 * perhaps, or nested deeper than the stack goes.
 */
export const pathsOf = (issue: ParseResult.ParseIssue): ReadonlyArray<string> => Arr.dedupe(pathsBelow(issue, []))

export const toDecodeError =
  (operation: string) =>
  (error: ParseResult.ParseError): DecodeError =>
    new DecodeError({ operation, paths: pathsOf(error.issue) })
