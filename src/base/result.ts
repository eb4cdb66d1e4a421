/**
 * The outcome of something that can fail in a way its caller must handle. Lower rooms return it and
 * never throw.
 */

export type Result<Value, Failure> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: Failure };

export function ok<Value>(value: Value): { readonly ok: true; readonly value: Value } {
  return { ok: true, value };
}

export function err<Failure>(error: Failure): { readonly ok: false; readonly error: Failure } {
  return { ok: false, error };
}

/**
 * A value that may be there already: the hot path stays synchronous and only the cold one waits.
 */
export type Awaitable<Value> = Value | Promise<Value>;
