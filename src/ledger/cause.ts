/**
 * Why something failed, in words that may be logged and shown to operators: never a statement, a
 * value or a path.
 */
import { DatabaseUnavailable, StatementRefused } from '#store/database.ts';

/**
 * The message of the store's own errors, which carry no values; of others only the code or the
 * name.
 */
export function causeOf(error: unknown): string {
  if (error instanceof DatabaseUnavailable || error instanceof StatementRefused) {
    return error.message;
  }
  if (!(error instanceof Error)) return 'unknown error';
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' ? code : error.name;
}
