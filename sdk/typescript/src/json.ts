/** JSON as the SDK reads it: typed by the document, which the gateway's own tests hold it to. */

export type JsonRecord = Readonly<Record<string, unknown>>;

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- The caller knows it.
const parse: <Value>(text: string) => Value = JSON.parse;

/** What the text holds, as the document says it looks; undefined where it is no JSON. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- The document says it.
export function parseJson<Value>(text: string): Value | undefined {
  try {
    return parse<Value>(text);
  } catch {
    return undefined;
  }
}
