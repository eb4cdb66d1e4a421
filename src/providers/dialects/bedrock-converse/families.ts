/**
 * What differs between the models behind Converse, as data. Converse gives them one shape, but each
 * lab keeps its own rules: which fields carry reasoning, who may be forced to call a tool, whose
 * thoughts come back signed. The host's id of a model tells the family, also inside an ARN and
 * behind the prefix of an inference profile (`us.`, `eu.`, `global.`).
 */
import type { ReasoningEffort } from '#providers/form.ts';
import { traitsOf } from '../anthropic/models.ts';
import type { ModelTraits } from '../anthropic/models.ts';

/** How a family is told to think, in `additionalModelRequestFields`. */
export type ReasoningStyle =
  /** Claude up to 4.5: `thinking` with a budget in tokens, below the bound of the answer. */
  | { readonly kind: 'budget'; readonly tokensMax: number | null }
  /** Claude from 4.6. */
  | AdaptiveStyle
  /** One member holds a level. */
  | { readonly kind: 'level'; readonly member: string; readonly levels: EffortLevels }
  /** Nova 2: `reasoningConfig`; at `high` it refuses bounds and sampling. */
  | { readonly kind: 'nova'; readonly levels: EffortLevels }
  | { readonly kind: 'none' };

/** Adaptive thinking and an effort. */
export interface AdaptiveStyle {
  readonly kind: 'adaptive';
  /** Set where budgets work as well. */
  readonly tokensMax: number | null;
  readonly budgets: boolean;
  readonly levels: EffortLevels;
  /** What turns thinking off; null: nothing has to be said. */
  readonly quiet: 'disabled' | 'between_tools' | 'never' | null;
  /** Thoughts come back empty unless they are asked for. */
  readonly hidesThoughts: boolean;
}

/** The family's word for each level of ours. A level that is missing turns reasoning off. */
export type EffortLevels = Readonly<Partial<Record<ReasoningEffort, string>>>;

export interface ModelFamily {
  readonly models: RegExp;
  readonly reasoning: ReasoningStyle;
  /** Whether reasoning of earlier turns goes back; it must be signed for that. */
  readonly takesReasoning: boolean;
  /** Members on the way to the field of `top_k`; null where there is none. */
  readonly topK: readonly string[] | null;
  /** `one`: temperature or top_p, not both. `none`: neither. */
  readonly sampling: 'free' | 'one' | 'none';
  /** How a JSON schema for the answer is said: `outputConfig`, a forced tool, or words. */
  readonly schema: 'native' | 'tool' | 'words';
  /** Whether every object of a native schema must forbid other members. */
  readonly closedSchemas: boolean;
  readonly strictTools: boolean;
  readonly forcedTools: boolean;
  readonly parallelSwitch: boolean;
  /** Where cache points may stand; null where the family takes none. */
  readonly cache: CacheRules | null;
  /** Whether ids of tool calls may hold `.` and `:`, which Kimi's own do. */
  readonly openCallIds: boolean;
  /** Whether tool results and other content may share a turn. */
  readonly mixedTurns: boolean;
  readonly startsWithUser: boolean;
  /** Goes on with an answer that is begun for it; else the user must have the last word. */
  readonly prefill: boolean;
  /** Our names of hosted tools and the family's. */
  readonly systemTools: Readonly<Record<string, string>>;
}

export interface CacheRules {
  readonly tools: boolean;
  /** Kept for an hour where asked. */
  readonly hour: boolean;
  /** A blank text may stand between a document and its cache point, which is refused without. */
  readonly afterDocuments: boolean;
}

type FamilyData = Partial<ModelFamily> & Pick<ModelFamily, 'models'>;

const DEFAULTS: Omit<ModelFamily, 'models'> = {
  reasoning: { kind: 'none' },
  takesReasoning: false,
  topK: null,
  sampling: 'free',
  schema: 'tool',
  closedSchemas: false,
  strictTools: false,
  forcedTools: true,
  parallelSwitch: false,
  cache: null,
  openCallIds: false,
  mixedTurns: false,
  startsWithUser: true,
  prefill: true,
  systemTools: {},
};

const THREE_LEVELS: EffortLevels = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
};

/** Claude by generation: what the dialect of its maker knows of it holds here, too. */
function claude(model: string): FamilyData {
  const traits = traitsOf(model);
  const isRecent = traits.nativeOutput;
  return {
    models: /claude/,
    reasoning: claudeReasoning(traits),
    takesReasoning: true,
    topK: traits.sampling === 'none' ? null : ['top_k'],
    sampling: traits.sampling === 'all' ? 'free' : traits.sampling,
    schema: isRecent ? 'native' : 'tool',
    closedSchemas: true,
    strictTools: isRecent,
    forcedTools: traits.forcedTools,
    parallelSwitch: isRecent,
    cache: { tools: true, hour: isRecent, afterDocuments: true },
    mixedTurns: true,
    // Claude takes a conversation that the assistant begins (recordings).
    startsWithUser: false,
    prefill: traits.prefill,
  };
}

function claudeReasoning(traits: ModelTraits): ReasoningStyle {
  const tokensMax = traits.outputTokensMax;
  if (traits.thinking === 'none') return { kind: 'none' };
  if (traits.thinking === 'budget') return { kind: 'budget', tokensMax };
  const xhigh = traits.efforts.includes('xhigh') ? 'xhigh' : 'max';
  return {
    kind: 'adaptive',
    tokensMax,
    budgets: traits.thinking === 'both',
    levels: { ...THREE_LEVELS, xhigh, max: 'max' },
    quiet: traits.thinksUnasked ? traits.quiet : null,
    hidesThoughts: traits.hidesThoughts,
  };
}

const NOVA_SYSTEM_TOOLS = {
  web_search: 'nova_grounding',
  nova_grounding: 'nova_grounding',
  code_interpreter: 'nova_code_interpreter',
  nova_code_interpreter: 'nova_code_interpreter',
};

/** First match wins. Facts: recordings of 2025-2026, and the user guide's tables of support. */
const FAMILIES: readonly FamilyData[] = [
  {
    models: /nova-2/,
    reasoning: { kind: 'nova', levels: THREE_LEVELS },
    topK: ['inferenceConfig', 'topK'],
    cache: { tools: false, hour: false, afterDocuments: false },
    mixedTurns: true,
    systemTools: NOVA_SYSTEM_TOOLS,
  },
  {
    models: /amazon\.nova/,
    topK: ['inferenceConfig', 'topK'],
    cache: { tools: false, hour: false, afterDocuments: false },
    mixedTurns: true,
    systemTools: NOVA_SYSTEM_TOOLS,
  },
  {
    models: /gpt-oss/,
    reasoning: { kind: 'level', member: 'reasoning_effort', levels: THREE_LEVELS },
    schema: 'native',
  },
  {
    models: /qwen/,
    reasoning: { kind: 'level', member: 'reasoning_config', levels: THREE_LEVELS },
    schema: 'native',
  },
  { models: /deepseek\.v/, schema: 'native', forcedTools: false },
  { models: /deepseek/, schema: 'words', forcedTools: false },
  { models: /mistral-large-3|ministral|magistral|voxtral/, schema: 'native', topK: ['top_k'] },
  { models: /mistral/, topK: ['top_k'] },
  { models: /kimi/, schema: 'native', openCallIds: true },
  { models: /minimax|gemma|nemotron|glm/, schema: 'native' },
  { models: /cohere/, topK: ['k'], schema: 'words', forcedTools: false },
  { models: /llama/, schema: 'words', forcedTools: false, prefill: false },
  { models: /ai21|jamba|writer|palmyra|titan/, schema: 'words', forcedTools: false },
];

/**
 * An id that names no family: an application's own inference profile, an imported model. What it is
 * stays open, so nothing is taken from the request that some family can do.
 */
const UNKNOWN: FamilyData = {
  models: /^/,
  takesReasoning: true,
  cache: { tools: true, hour: true, afterDocuments: false },
  mixedTurns: true,
  startsWithUser: false,
};

export function familyOf(model: string): ModelFamily {
  const known = FAMILIES.find(({ models }) => models.test(model)) ?? UNKNOWN;
  const data = model.includes('claude') ? claude(model) : known;
  return { ...DEFAULTS, ...data };
}
