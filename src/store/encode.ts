/**
 * Parameters of statements as Postgres's text format, rendered here and not by a driver, so that a
 * value means the same over every driver. A string is passed as it is, also for a json column:
 * there it is JSON text already.
 */

/**
 * The text of one parameter; null is SQL's null. Throws for what has no such form (functions,
 * symbols, undefined).
 */
export function encodeParameter(value: unknown): string | null {
  if (value === null) return null;
  switch (typeof value) {
    case 'string':
      return value;
    case 'bigint':
    case 'boolean':
      return String(value);
    case 'number':
      return encodeNumber(value);
    case 'object':
      return encodeObject(value);
    default:
      throw new TypeError(`a parameter of type ${typeof value} cannot be sent to the database`);
  }
}

function encodeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError('a parameter is not a finite number');
  return String(value);
}

function encodeObject(value: object): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return encodeBytes(value);
  if (Array.isArray(value)) return encodeArray(value);
  return JSON.stringify(value);
}

function encodeBytes(bytes: Uint8Array): string {
  let text = String.raw`\x`;
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/**
 * An array literal (`{"a","b",NULL}`); pass the array through `sql.param(...)`, or drizzle makes a
 * list of it.
 */
function encodeArray(items: readonly unknown[]): string {
  const elements = items.map((item) => {
    const text = encodeParameter(item);
    if (text === null) return 'NULL';
    return Array.isArray(item) ? text : `"${text.replace(/["\\]/g, String.raw`\$&`)}"`;
  });
  return `{${elements.join(',')}}`;
}
