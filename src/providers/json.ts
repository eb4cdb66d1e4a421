/**
 * Careful reading of JSON that somebody else wrote. Upstream answers are hostile input: a field may
 * have any type, so every dialect reads through these and never trusts a shape.
 */

export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The value as a record, or one without members: for reading optional members without a check each.
 */
export function recordOf(value: unknown): JsonRecord {
  return isRecord(value) ? value : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value if it is a string with something in it, else undefined. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Parses JSON text. Undefined where it is none: JSON itself has no such value. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The members of a record that are not named and hold something: what a dialect keeps as native.
 */
export function otherMembers(record: JsonRecord, known: ReadonlySet<string>): JsonRecord {
  const others: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(record)) {
    if (!known.has(key) && value !== null && value !== undefined && key !== '__proto__')
      others[key] = value;
  }
  return others;
}
