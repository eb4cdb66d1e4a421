/**
 * What went wrong with a statement, in the two ways that the house tells apart: the database was
 * not there, or it refused. Messages are made from codes only; neither address, password, statement
 * nor values can appear in them.
 */
import { DatabaseUnavailable, StatementRefused, StatementTooHeavy } from './database.ts';

/** Classes and codes of SQLSTATE that say "not now", whatever the statement was. */
const UNAVAILABLE_STATES: readonly (readonly [prefix: string, meaning: string])[] = [
  ['08', 'the connection broke'],
  ['28', 'it does not accept our user or password'],
  ['3D000', 'the database named in the address does not exist'],
  ['53', 'it has too many clients or no room left'],
  ['57014', 'the statement took longer than the statement timeout'],
  ['57P', 'it is starting, stopping or has ended our connection'],
  ['25006', 'it accepts no writes at the moment'],
  ['55P03', 'a lock was not to be had in time'],
  ['58', 'it has trouble with its own files'],
];

const SOCKET_CODES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at its address',
  ENOENT: 'its socket does not exist',
  EACCES: 'its socket may not be opened by this user',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection broke',
  ENOTFOUND: 'its host name is unknown',
  EAI_AGAIN: 'its host name cannot be looked up at the moment',
  ETIMEDOUT: 'connecting took too long',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its network cannot be reached',
  CONNECT_TIMEOUT: 'connecting took too long',
  CONNECTION_CLOSED: 'the connection was closed',
  CONNECTION_DESTROYED: 'the connection was given up',
  CONNECTION_ENDED: 'our connections to it are closed',
};

/**
 * Too long for the server, or too much memory. A connection that we gave up is not among them: all
 * are given up together, whichever statement it was for.
 */
const HEAVY_CODES: ReadonlySet<string> = new Set(['57014', '53200']);

function textField(error: object, name: string): string | null {
  const value: unknown = Reflect.get(error, name);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** `DatabaseUnavailable` or `StatementRefused` for what postgres.js threw. */
export function toStoreError(error: unknown): Error {
  if (error instanceof AggregateError && error.errors.length > 0)
    return toStoreError(error.errors[0]);
  const code = error instanceof Error ? textField(error, 'code') : null;
  if (!(error instanceof Error) || code === null) {
    return new DatabaseUnavailable('The database did not answer in a way that we understand.');
  }
  const socket = SOCKET_CODES[code];
  if (socket !== undefined) return unavailable(socket, code);
  if (code === '57014' && error.name !== 'PostgresError') {
    return unavailable('no connection to it was to be had in time', 'CONNECT_TIMEOUT');
  }
  const state = UNAVAILABLE_STATES.find(([prefix]) => code.startsWith(prefix));
  if (state !== undefined) return unavailable(state[1], code);
  if (error.name !== 'PostgresError') return unavailable('the connection failed', code);
  const constraint = textField(error, 'constraint_name');
  const where = constraint === null ? '' : `, constraint ${constraint}`;
  return new StatementRefused(
    `The database refused a statement (${code}${where}).`,
    code,
    constraint,
  );
}

function unavailable(meaning: string, code: string): DatabaseUnavailable {
  const message = `The database cannot be used: ${meaning} (${code}).`;
  return HEAVY_CODES.has(code) ? new StatementTooHeavy(message) : new DatabaseUnavailable(message);
}
