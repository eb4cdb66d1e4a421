/**
 * What a request of the common form loses on its way into an upstream's dialect and back: the
 * ground of the table of losses in docs/translation.md.
 */
import { readForm } from '#providers/dialects/openai-chat/read-form.ts';
import type { ChatForm, Part, Turn } from '#providers/form.ts';
import { isRecord } from '#providers/json.ts';
import { CannotSay, type ChatSupport, type Target, type Warning } from '#providers/provider.ts';
import { providers } from '#providers/registry.ts';
import { factsOf, type Fact } from './form-facts.ts';
import { readNativeRequest } from './recordings-native-readers.ts';
import { markdownTable } from './translation-doc.ts';

export interface Way {
  /** Heading of its column. */
  readonly name: string;
  /** The key of its own reasoning in `native`. */
  readonly maker: string;
  readonly support: ChatSupport;
  readonly target: Target;
  readonly read: (body: Readonly<Record<string, unknown>>) => ChatForm;
}

function way(name: string, maker: string, read: Way['read']): (model: string) => Way {
  const entries = Object.entries(providers);
  const provider = entries.find(([id]) => id === name)?.[1];
  return (model) => {
    const target = { ...PLACE, baseUrl: provider?.baseUrl ?? 'https://upstream.test', model };
    const chat = provider !== undefined && 'chat' in provider ? provider.chat : undefined;
    const support = typeof chat === 'function' ? chat(target) : chat;
    if (support === undefined) throw new Error(`no provider ${name}`);
    return { name, maker, support, target, read };
  };
}

const PLACE = { region: 'us-east-1', project: 'project', account: null } as const;

/** One model of each dialect that can do as much as any. */
export const WAYS: readonly Way[] = [
  way('openai', 'openai-chat', readForm)('gpt-5'),
  way('anthropic', 'anthropic', (body) => readNativeRequest(body, 'anthropic'))(
    'claude-sonnet-4-5',
  ),
  way('gemini', 'google', (body) => readNativeRequest(body, 'gemini'))('gemini-2.5-flash'),
  way('bedrock', 'bedrock', (body) => readNativeRequest(body, 'bedrock'))(
    'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
  ),
  way('cohere', 'cohere', (body) => readNativeRequest(body, 'cohere'))(
    'command-a-reasoning-08-2025',
  ),
];

export interface Loss {
  readonly kind: string;
  /** `refused`, `lost, warned`, `lost, silent`, or what is said in its place. */
  readonly how: string;
}

const REASONING = ['reasoning effort', 'reasoning budget', 'reasoning, as much as the model likes'];

/** Kinds of facts that say nearly the same: the second is what may stand for the first. */
const STAND_INS: Readonly<Record<string, readonly string[]>> = {
  'text of role developer': ['text of role system'],
  'reasoning effort': REASONING,
  'reasoning budget': REASONING,
  'tool_choice, among': ['tool_choice, one', 'tool_choice, required'],
  'tool_choice, one': ['tool_choice, required'],
  'name of a file': ['name of a file'],
  'no reasoning': ['reasoning budget'],
};

const LIMITING: ReadonlySet<string> = new Set(['none', 'among', 'one']);

/** Tools that the choice leaves no room for are not sent: so the choice is kept. */
const OF_TOOLS = [
  'tool',
  'parameters of a tool',
  'description of a tool',
  'strict tool',
  'one tool call at a time',
];

export interface RoundTrip {
  /** Kinds of facts that were there. */
  readonly kinds: ReadonlySet<string>;
  readonly losses: readonly Loss[];
  /** Facts that nobody said. */
  readonly added: readonly string[];
}

/** Writes the form, reads it back, tells what is gone. What is refused is left out, and told. */
export function roundTrip(form: ChatForm, by: Way): RoundTrip {
  const facts = factsOf(form, by.maker);
  const refused: Loss[] = [];
  let rest = form;
  for (;;) {
    try {
      const { body, warnings } = by.support.codec.encode(rest, by.target);
      if (!isRecord(body)) throw new Error('the body is no object');
      const before = factsOf(rest, by.maker);
      const after = factsOf(by.read(body), by.maker);
      const lost = missing(before, after);
      const added = missing(after, before);
      const losses = lost.map((gone): Loss => {
        return { kind: gone.kind, how: howLost(gone, { added, warnings, form: rest }) };
      });
      return {
        kinds: new Set(facts.map(({ kind }) => kind)),
        losses: [...refused, ...losses],
        added: added.map(({ kind, value }) => `${kind} ${value}`),
      };
    } catch (error) {
      if (!(error instanceof CannotSay)) throw error;
      const { param } = error;
      const at = nearest(facts, param);
      const next = leaveOut(rest, param);
      if (next === null || at.length === 0) throw error;
      refused.push(...at.map(({ kind }): Loss => ({ kind, how: 'refused' })));
      rest = next;
    }
  }
}

interface Circumstances {
  readonly added: readonly Fact[];
  readonly warnings: readonly Warning[];
  readonly form: ChatForm;
}

function howLost(gone: Fact, { added, warnings, form }: Circumstances): string {
  const told = warnings.some((warning) => speaksOf(warning, gone));
  const instead = added.find(({ kind }) => STAND_INS[gone.kind]?.includes(kind));
  if (instead !== undefined) return `as ${instead.kind}${told ? ', warned' : ''}`;
  if (told) return 'lost, warned';
  const mode = form.toolChoice?.mode ?? 'auto';
  if (OF_TOOLS.includes(gone.kind) && LIMITING.has(mode)) return `left out by tool_choice, ${mode}`;
  if (gone.kind === 'tool_choice, none') return 'kept by sending no tools';
  // A model that does not think unless asked to needs no word.
  const thinks = added.some(({ kind }) => kind.startsWith('reasoning'));
  return gone.kind === 'no reasoning' && !thinks ? 'kept by saying nothing' : 'lost, silent';
}

/** The facts that a refusal speaks of: those in the field that it names, or else around it. */
function nearest(facts: readonly Fact[], param: string): Fact[] {
  const inside = facts.filter((one) => contains(param, one.param));
  if (inside.length > 0) return inside;
  const around = facts.filter((one) => one.param !== '' && contains(one.param, param));
  const longest = Math.max(...around.map((one) => one.param.length));
  return around.filter((one) => one.param.length === longest);
}

/** Facts of `before` that are not in `after`, each as often as it is missing. */
function missing(before: readonly Fact[], after: readonly Fact[]): Fact[] {
  const left = new Map<string, number>();
  const keyOf = ({ kind, value }: Fact) => `${kind} ${value}`;
  for (const one of after) left.set(keyOf(one), (left.get(keyOf(one)) ?? 0) + 1);
  return before.filter((one) => {
    const count = left.get(keyOf(one)) ?? 0;
    left.set(keyOf(one), count - 1);
    return count <= 0;
  });
}

/** A warning names the field itself, one above it, or one below it; indices may be left out. */
function speaksOf({ param }: Warning, fact: Fact): boolean {
  const said = plainField(param);
  const field = plainField(fact.param);
  const own = OWN_WORDS.find((word) => field.endsWith(word));
  if (own !== undefined && !said.includes(own)) return false;
  return contains(said, field) || contains(field, said);
}

/** Fields of a part that a warning about the whole part does not speak of. */
const OWN_WORDS = ['cache_control', 'is_error', '.reasoning'];

function plainField(param: string): string {
  return param.replaceAll(/\[\d+\]/g, '[]').replace(/^reasoning_effort/, 'reasoning');
}

function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`);
}

/** The form without the part or the setting at `param`; null where that is none we know. */
function leaveOut(form: ChatForm, param: string): ChatForm | null {
  const turns = form.turns.map((turn): Turn => {
    const [result] = turn.parts;
    if (result?.type === 'tool_result') {
      const content = result.content.filter((piece) => !isAt(piece, param));
      return content.length === result.content.length
        ? turn
        : { ...turn, parts: [{ ...result, content }] };
    }
    const parts = turn.parts.filter((part) => !isAt(part, param));
    const filler: Part = { type: 'text', text: 'left out' };
    return parts.length === turn.parts.length
      ? turn
      : { ...turn, parts: parts.length === 0 ? [filler] : parts };
  });
  const changed = turns.some((turn, index) => turn !== form.turns[index]);
  if (changed) return { ...form, turns };
  const { toolChoice: _choice, parallelToolCalls: _parallel, ...others } = form;
  if (param.startsWith('tool_choice') && form.toolChoice !== undefined) return others;
  if (param.startsWith('response_format') && form.output.kind !== 'text') {
    return { ...form, output: { kind: 'text' } };
  }
  if (param === 'n' && form.choices > 1) return { ...form, choices: 1 };
  return null;
}

function isAt(part: Part, param: string): boolean {
  return part.path !== undefined && contains(part.path, param);
}

const KEPT = 'kept';

export type LossTable = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

/** Of each kind of fact, by column: how it was lost, where it was. */
export function lossesOf(forms: readonly ChatForm[]): LossTable {
  const table = new Map<string, Map<string, Set<string>>>();
  for (const form of forms) {
    for (const by of WAYS) {
      const { kinds, losses } = roundTrip(form, by);
      for (const kind of kinds) {
        const row = table.get(kind) ?? new Map<string, Set<string>>();
        table.set(kind, row);
        const cell = row.get(by.name) ?? new Set<string>();
        row.set(by.name, cell);
        const own = losses.filter((loss) => loss.kind === kind);
        for (const { how } of own) cell.add(how);
        if (own.length === 0) cell.add(KEPT);
      }
    }
  }
  return table;
}

/** As Markdown: one row for each kind of fact, one column for each dialect. */
export function lossMarkdown(table: LossTable): string {
  const rows = [...table].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return markdownTable(
    ['what a request says', ...WAYS.map(({ name }) => name)],
    rows.map(([kind, row]) => [
      kind,
      ...WAYS.map(({ name }) => {
        const cell = row.get(name);
        if (cell === undefined) return 'not tried';
        const ways = [...cell].filter((how) => how !== KEPT).toSorted();
        return [...(cell.has(KEPT) ? [KEPT] : []), ...ways].join('; ');
      }),
    ]),
  );
}
