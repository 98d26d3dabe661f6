/** The patterns IG documents for what a caller names: no underscore in an account id, no dot or `@` in an identifier. */
export const isAccountId = (value: string): boolean => /^[A-Za-z0-9-]{1,30}$/.test(value)

export const isIdentifier = (value: string): boolean => /^[A-Za-z0-9_-]{1,30}$/.test(value)

export const isPlainPassword = (value: string): boolean => /^.{1,350}$/u.test(value)
