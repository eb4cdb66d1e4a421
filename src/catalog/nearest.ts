/**
 * "Did you mean": the known names that somebody may have meant by an unknown one. Bounded, because
 * an unknown name comes from outside: what is compared is cut, and the edit distance runs in a
 * narrow band.
 */

const COMPARED_LENGTH_MAX = 100;
/** Names further apart than this are not a slip of the fingers. */
const DISTANCE_MAX = 6;
const SHARED_PREFIX_MIN = 3;

/** The `n` names of `among` closest to `name`, best first; empty when nothing resembles it. */
export function nearestNames(name: string, among: Iterable<string>, n: number): readonly string[] {
  const wanted = comparable(name);
  if (wanted === '') return [];
  const found: { readonly name: string; readonly distance: number }[] = [];
  for (const candidate of among) {
    const distance = farness(wanted, comparable(candidate));
    if (distance !== null) found.push({ name: candidate, distance });
  }
  // Ties go to the shorter name, then by the alphabet, so that the answer is always the same.
  found.sort(
    (a, b) =>
      a.distance - b.distance || a.name.length - b.name.length || (a.name < b.name ? -1 : 1),
  );
  return found.slice(0, n).map((entry) => entry.name);
}

/** Without the lab, case and punctuation: people get those wrong and the rest right. */
function comparable(name: string): string {
  const cut = name.slice(0, COMPARED_LENGTH_MAX).toLowerCase();
  return cut.slice(cut.lastIndexOf('/') + 1).replaceAll(/[^a-z0-9]/g, '');
}

/** Smaller is nearer; null is too far to be meant. */
function farness(wanted: string, candidate: string): number | null {
  if (candidate === '') return null;
  if (wanted === candidate) return 0;
  const edits = editDistance(wanted, candidate, Math.min(DISTANCE_MAX, wanted.length >> 1));
  if (edits !== null && edits <= 2) return edits;
  const shared = sharedPrefix(wanted, candidate);
  const whole = shared === wanted.length || shared === candidate.length;
  if (whole && shared >= SHARED_PREFIX_MIN) {
    return 2 + Math.abs(wanted.length - candidate.length) / COMPARED_LENGTH_MAX;
  }
  return edits;
}

function sharedPrefix(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  let at = 0;
  while (at < length && a[at] === b[at]) at += 1;
  return at;
}

/** Levenshtein within `max`, or null: only the diagonal band of that width is computed. */
function editDistance(a: string, b: string, max: number): number | null {
  if (Math.abs(a.length - b.length) > max) return null;
  const far = max + 1;
  let previous = Uint8Array.from({ length: b.length + 1 }, (_, at) => Math.min(at, far));
  let current = new Uint8Array(b.length + 1);
  for (let row = 1; row <= a.length; row += 1) {
    const first = Math.max(1, row - max);
    const last = Math.min(b.length, row + max);
    current[first - 1] = first === 1 ? Math.min(row, far) : far;
    let least = far;
    for (let at = first; at <= last; at += 1) {
      const kept = (previous[at - 1] ?? far) + Number(a[row - 1] !== b[at - 1]);
      // The row before ends one short of this one: what lies beyond its band is too far.
      const above = at === row + max ? far : (previous[at] ?? far);
      const distance = Math.min(kept, above + 1, (current[at - 1] ?? far) + 1, far);
      current[at] = distance;
      least = Math.min(least, distance);
    }
    if (least >= far) return null;
    [previous, current] = [current, previous];
  }
  const distance = previous[b.length] ?? far;
  return distance < far ? distance : null;
}
