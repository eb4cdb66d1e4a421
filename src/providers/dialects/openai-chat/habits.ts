/**
 * What may differ from host to host within the OpenAI chat family, as data. A provider names only
 * what is particular to it; the rest is `DEFAULT_HABITS`.
 */
import type { PassThrough } from '#providers/provider.ts';
import type { UsageHabits } from './usage.ts';

/** Where a host writes what the model thought, and takes it back in a later turn. */
export type ReasoningField = 'reasoning_content' | 'reasoning' | 'reasoning_details' | 'content';

export interface ChatHabits {
  /**
   * `option`: sent in streams when `stream_options.include_usage` asks for it. `unasked`: sent
   * always, and `stream_options` is refused.
   */
  readonly streamUsage: 'option' | 'unasked';
  /** The name of the bound on generated tokens. */
  readonly maxTokensKey: 'max_tokens' | 'max_completion_tokens';
  /** Whether the other name is unknown to the host and has to be renamed. */
  readonly renamesMaxTokens: boolean;
  /** Members that the host knows under another name. */
  readonly renames: Readonly<Record<string, string>>;
  /** Members that the host refuses, each with the reason that the caller is told. */
  readonly drops: Readonly<Record<string, string>>;
  /** Whether messages may have the role `developer`. */
  readonly developerRole: boolean;
  /** Whether the text of a message may be a list of parts. */
  readonly textLists: boolean;
  /** Whether messages may carry a `name`. */
  readonly messageNames: boolean;
  /** For hosts that refuse unknown members: the ones that an assistant's message may have. */
  readonly assistantMembers: readonly string[] | null;
  /**
   * For hosts that accept only ids of their own form: one of that form, always the same for the
   * same.
   */
  readonly toolCallId: ((id: string) => string) | null;
  /** Null: reasoning of earlier turns is not taken back. */
  readonly reasoningField: ReasoningField | null;
  /** Whether `top_k` is understood. */
  readonly topK: boolean;
  /** Whether parts of messages may carry `cache_control`. */
  readonly cacheControl: boolean;
  readonly usage: UsageHabits;
  readonly rewrites: Pick<PassThrough, 'answer' | 'event'>;
}

export const DEFAULT_HABITS: ChatHabits = {
  streamUsage: 'option',
  maxTokensKey: 'max_tokens',
  renamesMaxTokens: false,
  renames: {},
  drops: {},
  developerRole: true,
  textLists: true,
  messageNames: true,
  assistantMembers: null,
  toolCallId: null,
  reasoningField: null,
  topK: false,
  cacheControl: false,
  usage: {},
  rewrites: {},
};

/**
 * Members that OpenAI alone gives a meaning to and that strict hosts refuse as unknown. Most are
 * hints; what is lost is told in a warning.
 */
export const OPENAI_ONLY: Readonly<Record<string, string>> = {
  store: 'This provider does not store completions.',
  moderation: 'This provider has no moderation option.',
  prompt_cache_options: 'This provider decides by itself what it caches.',
  prompt_cache_retention: 'This provider decides by itself how long it caches.',
  safety_identifier: 'This provider takes no safety identifier.',
  verbosity: 'This provider has no verbosity setting.',
  web_search_options: 'This provider has no web search option.',
  modalities: 'This provider answers in text only.',
  audio: 'This provider answers in text only.',
};
