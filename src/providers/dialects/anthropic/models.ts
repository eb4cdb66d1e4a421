/**
 * What Claude models can and refuse, by generation, as data. The dialect changed under the same
 * name: budgets gave way to adaptive thinking, sampling settings and forced tools went away. A
 * model that is not known is taken for one of the latest kind where it is Claude's, else for a
 * plain one.
 *
 * Sources: models.dev (2026-07-02) and LiteLLM (2026-07-24) for limits, efforts and sampling;
 * platform.claude.com migration guides up to Opus 5.5 and Sonnet 5.5 (2026-10) for what is refused;
 * recorded exchanges for what is accepted; reports of users (4.6 and 5, 2026) for prefill.
 */
import type { ReasoningEffort } from '#providers/form.ts';

export interface ModelTraits {
  /** Upper bound of `max_tokens`; null where nothing is known, and nothing is clamped. */
  readonly outputTokensMax: number | null;
  /** By a budget in tokens, by the model's own judgement, both, or not at all. */
  readonly thinking: 'none' | 'budget' | 'both' | 'adaptive';
  /** Thinks where the request does not say. */
  readonly thinksUnasked: boolean;
  /** What turns thinking off: nothing to send, a word of the request, or nothing at all. */
  readonly quiet: 'disabled' | 'between_tools' | 'never';
  /** Levels of `output_config.effort`; none where it is refused. */
  readonly efforts: readonly ReasoningEffort[];
  /** Temperature, top_p and top_k: all, temperature or top_p but not both, or none. */
  readonly sampling: 'all' | 'one' | 'none';
  /** `output_config.format` and strict tools. */
  readonly nativeOutput: boolean;
  /** Whether `tool_choice` may demand a call. */
  readonly forcedTools: boolean;
  /** Thoughts are returned empty unless `display` asks for them. */
  readonly hidesThoughts: boolean;
  /** Goes on with an answer that is begun for it; else the user must have the last word. */
  readonly prefill: boolean;
}

const EARLY: ModelTraits = {
  outputTokensMax: 4_096,
  thinking: 'none',
  thinksUnasked: false,
  quiet: 'disabled',
  efforts: [],
  sampling: 'all',
  nativeOutput: false,
  forcedTools: true,
  hidesThoughts: false,
  prefill: true,
};

const FOURTH: ModelTraits = { ...EARLY, outputTokensMax: 64_000, thinking: 'budget' };

const FOURTH_AND_HALF: ModelTraits = { ...FOURTH, sampling: 'one', nativeOutput: true };

const FOURTH_SIX: ModelTraits = {
  ...FOURTH_AND_HALF,
  outputTokensMax: 128_000,
  thinking: 'both',
  efforts: ['low', 'medium', 'high', 'max'],
  prefill: false,
};

const FOURTH_SEVEN: ModelTraits = {
  ...FOURTH_SIX,
  thinking: 'adaptive',
  efforts: ['low', 'medium', 'high', 'xhigh', 'max'],
  sampling: 'none',
  hidesThoughts: true,
};

const FIFTH: ModelTraits = { ...FOURTH_SEVEN, thinksUnasked: true };

const ALWAYS_THINKING: ModelTraits = { ...FIFTH, quiet: 'never' };

/** Another maker's model behind the same dialect, or a name that tells nothing. */
const UNKNOWN: ModelTraits = { ...FOURTH, outputTokensMax: null };

/** First match wins; against the part of the id from `claude-` on, dots written as dashes. */
const ROWS: readonly (readonly [RegExp, ModelTraits])[] = [
  [/^claude-(?:instant|v?[12])/, EARLY],
  [/^claude-3-7/, FOURTH],
  [/^claude-3-5/, { ...EARLY, outputTokensMax: 8_192 }],
  [/^claude-3/, EARLY],
  [/^claude-(?:opus-4-1|4-1-opus)/, { ...FOURTH, outputTokensMax: 32_000, sampling: 'one' }],
  [/^claude-(?:opus-4-5|4-5-opus)/, { ...FOURTH_AND_HALF, efforts: ['low', 'medium', 'high'] }],
  [/^claude-(?:(?:sonnet|haiku)-4-5|4-5-(?:sonnet|haiku))/, FOURTH_AND_HALF],
  [/^claude-(?:sonnet-4-6|4-6-sonnet)/, { ...FOURTH_SIX, outputTokensMax: 64_000 }],
  [/^claude-(?:opus-4-6|4-6-opus|mythos-preview)/, FOURTH_SIX],
  [/^claude-(?:opus-4-[78]|4-[78]-opus)/, FOURTH_SEVEN],
  [/^claude-(?:opus-4|4-opus)(?:$|-0|-2025|@|-v)/, { ...FOURTH, outputTokensMax: 32_000 }],
  [/^claude-(?:sonnet-4|4-sonnet)(?:$|-0|-2025|@|-v)/, FOURTH],
  [/^claude-(?:fable|mythos)-5(?:$|-2026|@)/, ALWAYS_THINKING],
  [/^claude-sonnet-5-[5-9]/, { ...FIFTH, quiet: 'between_tools', forcedTools: false }],
  [/^claude-opus-5-[5-9]/, { ...ALWAYS_THINKING, forcedTools: false }],
  [/^claude-(?:fable|mythos)-/, { ...ALWAYS_THINKING, forcedTools: false }],
  [/^claude-/, FIFTH],
];

/** Where a model's bound is not known and the caller names none. */
export const OUTPUT_TOKENS_DEFAULT = 4_096;

/**
 * What the model can, by its id at any host (`claude-opus-4-5@20251101`,
 * `us.anthropic.claude-opus-4-5-20251101-v1:0`, `anthropic/claude-opus-4.5`).
 */
export function traitsOf(model: string): ModelTraits {
  const at = model.indexOf('claude-');
  if (at < 0) return UNKNOWN;
  const id = model.slice(at).replaceAll('.', '-');
  return ROWS.find(([pattern]) => pattern.test(id))?.[1] ?? UNKNOWN;
}
