/**
 * Ids of tool calls as Converse takes them: letters, digits, `_` and `-`, at most 64. A
 * conversation may have begun at a host with other ids; a call and its result must still agree
 * afterwards.
 */

export interface CallIds {
  /** One id for each of the caller's, always the same for the same, no two alike. */
  of(id: string): string;
}

const ID_LENGTH_MAX = 64;
const STRICT = /[^A-Za-z0-9_-]/g;
const OPEN = /[^A-Za-z0-9_.:-]/g;

/** `open`: `.` and `:` may stand in ids, too. */
export function callIds(open: boolean): CallIds {
  const known = new Map<string, string>();
  const taken = new Set<string>();
  return {
    of(id) {
      const before = known.get(id);
      if (before !== undefined) return before;
      const fitted = id.replace(open ? OPEN : STRICT, '_').slice(0, ID_LENGTH_MAX) || 'call';
      let unique = fitted;
      for (let copy = 2; taken.has(unique); copy += 1) {
        const suffix = `_${copy}`;
        unique = fitted.slice(0, ID_LENGTH_MAX - suffix.length) + suffix;
      }
      known.set(id, unique);
      taken.add(unique);
      return unique;
    },
  };
}
