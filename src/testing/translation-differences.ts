/**
 * Why a recorded request, read into the common form, said in chat and written again, may differ
 * from what was recorded: every class of difference with its explanation. What no class covers is
 * not explained, and a test fails.
 */
import type { NativeReplay } from './recordings-native-replay.ts';
import type { NativeDialect } from './recordings-native-rows.ts';
import { EXPLANATIONS } from './translation-explanations.ts';
import { markdownTable } from './translation-doc.ts';

interface Entry {
  readonly dialect: NativeDialect;
  readonly what: string;
  readonly kind: string;
  times: number;
  readonly example: string;
}

export type Tally = Map<string, Entry>;

/** Adds the differences of one replayed request. A kind of difference counts once a request. */
export function tally(into: Tally, { exchange, request }: NativeReplay): void {
  if (request === null) return;
  const seen = new Set<string>();
  const add = (kind: string, what: string) => {
    const key = `${exchange.dialect} ${kind} ${what}`;
    if (seen.has(key)) return;
    seen.add(key);
    const entry = into.get(key);
    if (entry !== undefined) entry.times += 1;
    else {
      const { dialect, label } = exchange;
      into.set(key, { dialect, what, kind, times: 1, example: label });
    }
  };
  for (const { path, kind } of request.changes) add(kind, path);
  for (const what of request.lost) add('no place in chat', what);
  if (request.refused !== null) add('refused', request.refused.replaceAll(/\[\d+\]/g, '[]'));
}

interface Line {
  readonly dialect: NativeDialect;
  readonly kind: string;
  readonly what: string;
  readonly times: number;
  readonly why: string;
}

/** One row for each explanation that was needed, and one for each difference that has none. */
export function toTable(differences: Tally): string {
  const lines = new Map<string, Line>();
  for (const entry of differences.values()) {
    const explained = EXPLANATIONS.find(
      ({ dialect, what }) =>
        (dialect === 'any' || dialect === entry.dialect) &&
        what.test(`${entry.kind} ${entry.what}`),
    );
    const what = explained?.title ?? `${entry.kind}: ${entry.what}`;
    const why = explained?.why ?? `NOT EXPLAINED (${entry.example})`;
    const key = `${entry.dialect} ${what}`;
    const times = (lines.get(key)?.times ?? 0) + entry.times;
    lines.set(key, { dialect: entry.dialect, kind: entry.kind, what, times, why });
  }
  const rows = [...lines.values()].toSorted((a, b) =>
    `${a.dialect} ${a.what}` < `${b.dialect} ${b.what}` ? -1 : 1,
  );
  return markdownTable(
    ['dialect', 'what differs', 'places', 'why'],
    rows.map(({ dialect, what, times, why }) => [dialect, what, String(times), why]),
  );
}
