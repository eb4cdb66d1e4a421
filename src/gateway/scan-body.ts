/** The raw body of any door to the index that its reader goes by. */
import { JSON_OBJECT, type JsonIndex } from '#base/json-index.ts';
import { DEFAULT_LIMITS, scanJson, type ScanLimits } from '#base/json-scan.ts';
import { invalidJson, nestingTooDeep, repeatedKey, tooManyFields } from '#wire/refusals.ts';

/** Some dozen times what any API has: each that a host does not know costs a warning. */
const FIELDS_MAX = 1_000;

function refuseMany(index: JsonIndex): void {
  let fields = 0;
  for (let node = index.firstChild(0); node >= 0; node = index.nextChild(0, node)) fields += 1;
  if (fields > FIELDS_MAX) throw tooManyFields(FIELDS_MAX);
}

/** Throws a GatewayError (400) where the body is not one JSON object that can be told apart. */
export function scanBody(body: Uint8Array, limits: ScanLimits = DEFAULT_LIMITS): JsonIndex {
  if (body.length === 0) throw invalidJson('the body is empty');
  const scanned = scanJson(body, limits);
  if (!scanned.ok) {
    const { error } = scanned;
    if (error.kind === 'repeated_key') throw repeatedKey(error.key);
    if (error.kind === 'depth') throw nestingTooDeep(limits.depthMax);
    throw invalidJson(`${error.message} (at byte ${error.offset})`);
  }
  if (scanned.value.kind(0) !== JSON_OBJECT) throw invalidJson('the body must be an object');
  refuseMany(scanned.value);
  return scanned.value;
}
