/** What a host of the family knows under another name, refuses, or is told in words of its own. */
import type { EmbeddingPurpose } from '#providers/embeddings.ts';
import { parseJson } from '#providers/json.ts';
import {
  CannotSay,
  type BodyAdaptation,
  type BodyEdit,
  type BodyMembers,
  type Warning,
} from '#providers/provider.ts';
import type { EmbeddingsHabits } from './habits.ts';
import { purposeOf } from './read-form.ts';

const PURPOSE_KEY = 'input_type';
const FORMAT_KEY = 'encoding_format';

interface Adapted {
  readonly removed: readonly string[];
  readonly renamed: readonly (readonly [from: string, to: string])[];
  readonly warnings: readonly Warning[];
}

/** `keys` are the members that the caller sent. */
export function adaptMembers(keys: readonly string[], habits: EmbeddingsHabits): Adapted {
  const removed = keys.filter((key) => Object.hasOwn(habits.drops, key));
  const renamed = Object.entries(habits.renames).filter(([from]) => keys.includes(from));
  const warnings = removed.map((param): Warning => ({
    code: 'dropped',
    param,
    message: habits.drops[param] ?? '',
  }));
  return { removed, renamed, warnings };
}

interface Told {
  readonly members: Readonly<Record<string, string>>;
  readonly warnings: readonly Warning[];
}

const NOTHING_TOLD: Told = { members: {}, warnings: [] };

/** The purpose in the host's words; nothing where the caller has none. */
export function tellPurpose(purpose: EmbeddingPurpose | null, habits: EmbeddingsHabits): Told {
  return purpose === null ? NOTHING_TOLD : tellWord(purpose, habits);
}

/** A null purpose is a word that nobody knows. */
function tellWord(purpose: EmbeddingPurpose | null, habits: EmbeddingsHabits): Told {
  const word = purpose === null ? undefined : habits.purpose?.words[purpose];
  if (habits.purpose !== null && word !== undefined) {
    return { members: { [habits.purpose.field]: word }, warnings: [] };
  }
  const message =
    habits.purpose === null
      ? 'This provider makes the same vectors for every purpose.'
      : 'This provider knows no such purpose and makes vectors for any.';
  return { members: {}, warnings: [{ code: 'dropped', param: PURPOSE_KEY, message }] };
}

function adaptPurpose(body: BodyMembers, habits: EmbeddingsHabits): BodyAdaptation {
  const raw = body.raw(PURPOSE_KEY);
  if (raw === undefined || raw.trim() === 'null') return { edits: [], warnings: [] };
  const purpose = purposeOf(parseJson(raw));
  // A word of the host's own.
  if (purpose === null && habits.purpose?.field === PURPOSE_KEY) return { edits: [], warnings: [] };
  const { members, warnings } = tellWord(purpose, habits);
  const edits = Object.entries(members).map(([key, word]): BodyEdit => ({
    op: 'set',
    key,
    json: JSON.stringify(word),
  }));
  // A key is edited once: what is set anew needs no removal.
  if (!Object.hasOwn(members, PURPOSE_KEY)) edits.push({ op: 'remove', key: PURPOSE_KEY });
  return { edits, warnings };
}

/** Tokens of one text or of several, and no text. */
const TOKENS = /^\s*\[\s*(?:\[\s*)?\d/;

/** Whoever sends tokens may not know it: some libraries do so unless told otherwise. */
export function cannotTakeTokens(path: string): CannotSay {
  return new CannotSay(
    path,
    'This provider takes text and no tokens. Send the text itself ' +
      '(in LangChain: check_embedding_ctx_length=False).',
  );
}

/** The caller's own members for a host that takes them as they are, but for these. */
export function adaptBody(body: BodyMembers, habits: EmbeddingsHabits): BodyAdaptation {
  if (!habits.tokens && TOKENS.test(body.raw('input') ?? '')) throw cannotTakeTokens('input');
  const names = [...Object.keys(habits.drops), ...Object.keys(habits.renames)];
  const { removed, renamed, warnings } = adaptMembers(
    names.filter((name) => body.has(name)),
    habits,
  );
  const purpose = adaptPurpose(body, habits);
  const edits: BodyEdit[] = [
    ...removed.map((key): BodyEdit => ({ op: 'remove', key })),
    ...renamed.map(([key, to]): BodyEdit => ({ op: 'rename', key, to })),
    ...purpose.edits,
  ];
  const format = body.raw(FORMAT_KEY);
  if (format !== undefined && !habits.formats.some((known) => `"${known}"` === format.trim())) {
    // Nothing is lost: the answer is brought into the caller's form.
    edits.push({ op: 'remove', key: FORMAT_KEY });
  }
  return { edits, warnings: [...purpose.warnings, ...warnings] };
}
