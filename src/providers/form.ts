/**
 * The common form: what all doors and all upstream dialects can say, in one shape of our own. A
 * dialect converts to it and from it, so doors and upstreams need one file each and not one per
 * pair. Requests that enter and leave in the same dialect never touch it (house.md, "One common
 * form").
 *
 * Designed for chat completions, Responses, Messages and Gemini alike: a conversation is turns made
 * of parts; what only one dialect can say travels in `native` under that dialect's name and comes
 * out again when the conversation returns there.
 */
import type { Usage } from '#wire/usage.ts';

/** Opaque fields of one dialect that must survive a round trip, such as a thought signature. */
export type NativeFields = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** "Cache the prompt up to and with this part": Anthropic's breakpoints, Bedrock's cache points. */
export interface CacheHint {
  readonly lifetime: '5m' | '1h';
}

interface PartBase {
  /** Where it stands in the caller's body (`messages[3].content[1]`), for refusals and warnings. */
  readonly path?: string;
  readonly cache?: CacheHint;
  readonly native?: NativeFields;
}

/** Where bytes are: inline, at an address, or uploaded to the upstream before. */
export type MediaSource =
  | { readonly kind: 'base64'; readonly mediaType: string; readonly data: string }
  | { readonly kind: 'url'; readonly url: string; readonly mediaType?: string }
  | { readonly kind: 'file_id'; readonly fileId: string; readonly mediaType?: string };

/** A source that a text relies on. Offsets count UTF-16 units of the text that it stands on. */
export interface Citation {
  readonly kind: 'url' | 'document' | 'file';
  readonly url?: string;
  readonly title?: string;
  readonly citedText?: string;
  readonly documentIndex?: number;
  readonly fileId?: string;
  readonly start?: number;
  readonly end?: number;
  readonly native?: NativeFields;
}

export type TextPart = PartBase & {
  readonly type: 'text';
  readonly text: string;
  readonly citations?: readonly Citation[];
};

/**
 * What the model thought. `text` is what may be shown (whole or a summary), `signature` proves it
 * to the upstream that made it, `encrypted` is a blob only that upstream can read. They go back
 * unchanged.
 */
export type ReasoningPart = PartBase & {
  readonly type: 'reasoning';
  readonly text: string;
  readonly summary: boolean;
  readonly id?: string;
  readonly signature?: string;
  readonly encrypted?: string;
};

export type ImagePart = PartBase & {
  readonly type: 'image';
  readonly source: MediaSource;
  readonly detail?: 'low' | 'high' | 'auto' | 'original';
};

export type AudioPart = PartBase & {
  readonly type: 'audio';
  readonly source: MediaSource;
  readonly transcript?: string;
  /** The upstream's handle of its own earlier audio (OpenAI `audio.id`). */
  readonly id?: string;
  readonly expiresAt?: number;
};

export type VideoPart = PartBase & { readonly type: 'video'; readonly source: MediaSource };

export type FilePart = PartBase & {
  readonly type: 'file';
  readonly source: MediaSource;
  readonly filename?: string;
  /** Ask for citations out of it (Anthropic documents). */
  readonly citable?: boolean;
  readonly context?: string;
};

/**
 * A call of one of the caller's tools. `arguments` is the JSON text (or free text) as the model
 * wrote it.
 */
export type ToolCallPart = PartBase & {
  readonly type: 'tool_call';
  /** Made up by the dialect, and marked so, where the upstream gives none (Gemini). */
  readonly id: string;
  readonly idIsOurs?: boolean;
  readonly name: string;
  readonly arguments: string;
  readonly format: 'json' | 'text';
};

export type ToolResultPart = PartBase & {
  readonly type: 'tool_result';
  readonly callId: string;
  readonly name?: string;
  readonly content: readonly (TextPart | ImagePart | FilePart | AudioPart)[];
  readonly isError?: boolean;
};

/** A tool that the upstream runs itself: web search, code execution, MCP ... */
export type HostedToolCallPart = PartBase & {
  readonly type: 'hosted_tool_call';
  readonly id: string;
  readonly tool: string;
  readonly input: unknown;
  readonly status?: 'running' | 'completed' | 'failed';
};

export type HostedToolResultPart = PartBase & {
  readonly type: 'hosted_tool_result';
  readonly callId: string;
  readonly tool: string;
  readonly output: unknown;
  readonly isError?: boolean;
};

export type RefusalPart = PartBase & { readonly type: 'refusal'; readonly text: string };

export type Part =
  | TextPart
  | ReasoningPart
  | ImagePart
  | AudioPart
  | VideoPart
  | FilePart
  | ToolCallPart
  | ToolResultPart
  | HostedToolCallPart
  | HostedToolResultPart
  | RefusalPart;

export type Role = 'system' | 'developer' | 'user' | 'assistant' | 'tool';

export interface Turn {
  readonly role: Role;
  readonly parts: readonly Part[];
  readonly name?: string;
  /**
   * The dialect's own id of the item (Responses), kept for `previous_response_id` and for edits.
   */
  readonly id?: string;
  /** Where it stands in the caller's body (`messages[3]`), for refusals and warnings. */
  readonly path?: string;
  readonly native?: NativeFields;
}

export type Tool =
  | {
      readonly kind: 'function';
      readonly name: string;
      readonly description?: string;
      readonly parameters?: unknown;
      readonly strict?: boolean;
      readonly cache?: CacheHint;
      readonly native?: NativeFields;
    }
  | {
      readonly kind: 'custom';
      readonly name: string;
      readonly description?: string;
      readonly grammar?: { readonly syntax: string; readonly definition: string };
    }
  | { readonly kind: 'hosted'; readonly tool: string; readonly config: unknown };

export type ToolChoice =
  | { readonly mode: 'auto' | 'none' | 'required' }
  | { readonly mode: 'one'; readonly name: string; readonly kind: 'function' | 'custom' | 'hosted' }
  | { readonly mode: 'among'; readonly names: readonly string[]; readonly required: boolean };

export type OutputFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'json' }
  | {
      readonly kind: 'json_schema';
      readonly name: string;
      readonly schema: unknown;
      readonly description?: string;
      readonly strict?: boolean;
    };

export type ReasoningEffort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';

/** How much to think: a level, a budget in tokens, or the upstream's own judgement. */
export interface ReasoningWish {
  readonly effort?: ReasoningEffort;
  readonly budgetTokens?: number;
  readonly adaptive?: boolean;
  /** Whether, and how, the caller wants to read it. */
  readonly show?: 'full' | 'summary' | 'none';
  /** Ask for the encrypted blob, to carry the state oneself. */
  readonly encrypted?: boolean;
}

export interface SamplingWish {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly logitBias?: Readonly<Record<string, number>>;
  readonly logprobs?: boolean;
  readonly topLogprobs?: number;
}

export interface ChatForm {
  readonly turns: readonly Turn[];
  readonly tools: readonly Tool[];
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
  readonly output: OutputFormat;
  readonly modalities: readonly ('text' | 'audio' | 'image')[];
  readonly audioOutput?: { readonly voice: unknown; readonly format: string };
  readonly verbosity?: 'low' | 'medium' | 'high';
  readonly reasoning: ReasoningWish;
  readonly sampling: SamplingWish;
  /** Upper bound of generated tokens, reasoning included. */
  readonly maxOutputTokens?: number;
  readonly choices: number;
  readonly stream: boolean;
  readonly serviceTier?: string;
  readonly store?: boolean;
  readonly promptCacheKey?: string;
  readonly endUser?: string;
  readonly metadata?: Readonly<Record<string, string>>;
  /** State kept by the upstream: `previous_response_id`, `conversation`, `container`. */
  readonly continues?: { readonly kind: string; readonly id: string };
  /**
   * Fields of the door's dialect that the form has no word for; merged back in the same dialect
   * only.
   */
  readonly native: NativeFields;
}

export type FinishReason =
  | 'stop'
  | 'length'
  | 'tool_calls'
  | 'content_filter'
  | 'refusal'
  | 'pause'
  | 'error'
  | 'cancelled';

export interface Finish {
  readonly reason: FinishReason;
  /** The upstream's own word. */
  readonly native: string;
}

export interface ChatChoice {
  readonly index: number;
  readonly parts: readonly Part[];
  readonly finish: Finish | null;
  readonly logprobs?: unknown;
  readonly native?: NativeFields;
}

export interface ChatAnswer {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  /** As the upstream names what answered. */
  readonly model: string;
  readonly choices: readonly ChatChoice[];
  readonly usage: Usage;
  readonly serviceTier?: string;
  readonly native: NativeFields;
}

/** What is wrong, said by an upstream inside an answer that had begun. */
export interface UpstreamComplaint {
  readonly code: string;
  readonly message: string;
  readonly status: number | null;
}

/**
 * A part of a stream that grows: which choice, and which part of it (dense, in order of
 * appearance).
 */
interface PartAddress {
  readonly choice: number;
  readonly part: number;
}

/**
 * A stream in the common form. For each part: `part_start` with what is known, deltas, `part_stop`
 * with what came late (a signature, citations). Each choice finishes once; usage may come again and
 * the last one counts; `complaint` ends the stream.
 */
export type ChatEvent =
  | {
      readonly type: 'start';
      readonly id: string;
      readonly createdAt: number;
      readonly model: string;
      readonly native?: NativeFields;
    }
  | ({ readonly type: 'part_start'; readonly value: Part } & PartAddress)
  | ({ readonly type: 'text_delta'; readonly text: string } & PartAddress)
  | ({ readonly type: 'reasoning_delta'; readonly text: string } & PartAddress)
  | ({ readonly type: 'refusal_delta'; readonly text: string } & PartAddress)
  | ({ readonly type: 'arguments_delta'; readonly text: string } & PartAddress)
  | ({
      readonly type: 'media_delta';
      readonly data: string;
      readonly transcript?: string;
    } & PartAddress)
  | ({ readonly type: 'signature'; readonly signature: string } & PartAddress)
  | ({ readonly type: 'citation'; readonly citation: Citation } & PartAddress)
  | ({ readonly type: 'part_stop'; readonly native?: NativeFields } & PartAddress)
  | { readonly type: 'logprobs'; readonly choice: number; readonly value: unknown }
  | { readonly type: 'finish'; readonly choice: number; readonly finish: Finish }
  | { readonly type: 'usage'; readonly usage: Usage; readonly serviceTier?: string }
  | { readonly type: 'complaint'; readonly complaint: UpstreamComplaint };
