/**
 * How values cross the wire between postgres.js and us, on every runtime: what `database.ts` says
 * of rows is made true here.
 */

const asIs = (value: string): string => value;
const toIso = (value: string): string => new Date(`${value}Z`).toISOString();

/** Postgres writes bytes as `\\x` and hexadecimal digits. */
function decodeBytes(text: string): Uint8Array {
  const digits = text.slice(2);
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(at * 2, at * 2 + 2), 16),
  );
}

/**
 * Wire types by OID. Parameters arrive here as text already (`encode.ts`), so nothing is serialized
 * a second time.
 */
export const WIRE_TYPES = {
  boolean: { to: 16, from: [16], serialize: asIs, parse: (value: string) => value === 't' },
  bytea: {
    to: 17,
    from: [17],
    serialize: asIs,
    parse: decodeBytes,
  },
  json: {
    to: 114,
    from: [114, 3802],
    serialize: asIs,
    parse: (value: string): unknown => JSON.parse(value),
  },
  number: { to: 0, from: [21, 23, 26, 700, 701], serialize: asIs, parse: Number },
  date: { to: 1082, from: [1082], serialize: asIs, parse: asIs },
  timestamp: { to: 1114, from: [1114], serialize: asIs, parse: toIso },
  timestamptz: {
    to: 1184,
    from: [1184],
    serialize: asIs,
    // Postgres writes the zone as +00; the session's is UTC.
    parse: (value: string) => new Date(value.replace(/([+-]\d\d)$/, '$1:00')).toISOString(),
  },
};
