/**
 * The spec of a provider: a plain object of data and pure functions. No class, no fetch, no clock;
 * the gateway owns transport, timeouts, SSE splitting, aborts, size limits, money and users. A
 * provider says only what is particular to one upstream: where it is, how it knows us, how it
 * speaks and complains.
 */
import type { Awaitable } from '#base/result.ts';
import type { UpstreamHeaders } from '#base/transport.ts';
import type { Usage } from '#wire/usage.ts';
import type { EmbeddingsSupport } from './embeddings.ts';
import type { ChatAnswer, ChatEvent, ChatForm, UpstreamComplaint } from './form.ts';
import type { Offer } from './offers.ts';

/**
 * What a request wants of an upstream. Later steps add theirs here, and the address functions
 * answer. `chat_stream` is a chat whose answer is streamed: some hosts have another path for it.
 * `responses` is a chat that is said in OpenAI's Responses, whole or streamed.
 */
export type Operation = 'chat' | 'chat_stream' | 'responses' | 'embeddings';

/** Wire dialects. A door and an upstream that name the same one pass bytes through. */
export type Dialect =
  | 'openai-chat'
  | 'openai-responses'
  | 'anthropic-messages'
  | 'generate-content'
  | 'bedrock-converse'
  | 'cohere-chat';

/**
 * One place to run a model: an operator's credential and address, and the host's id of the model.
 */
export interface Target {
  /** What the provider's official SDK takes as its base URL; no trailing slash. */
  readonly baseUrl: string;
  /** The host's id of the model, or the deployment. */
  readonly model: string;
  readonly region: string | null;
  readonly project: string | null;
  readonly account: string | null;
}

export interface UpstreamAddress {
  readonly method: 'GET' | 'POST';
  readonly url: string;
}

/** Header names are lower case. */
export type HeaderPairs = readonly (readonly [name: string, value: string])[];

/** What must be known to answer "who are we": the secret and what a signature covers. */
export interface CredentialInput {
  readonly secret: string;
  readonly target: Target;
  readonly address: UpstreamAddress;
  readonly body: Uint8Array;
  readonly nowMs: number;
}

/**
 * Headers at once, or an exchange of the secret for a token first, which the gateway runs and
 * caches until `expiresAtMs` (Vertex and others).
 */
export type Credentials =
  | { readonly headers: HeaderPairs }
  | {
      readonly exchange: {
        readonly cacheKey: string;
        readonly url: string;
        readonly headers: HeaderPairs;
        readonly body: string;
        read(
          body: Uint8Array,
        ): { readonly headers: HeaderPairs; readonly expiresAtMs: number } | null;
      };
    };

/**
 * What an upstream's refusal means for us. `retry` says whether another target may do better:
 * `elsewhere` (this host or credential is unwell, or takes less than others), `never` (the request
 * itself is at fault).
 */
export interface UpstreamError {
  readonly kind:
    | 'invalid_request'
    | 'context_length'
    | 'content_filter'
    | 'authentication'
    | 'permission'
    | 'billing'
    | 'model_not_found'
    | 'rate_limit'
    | 'overloaded'
    | 'timeout'
    | 'server_error';
  readonly retry: 'elsewhere' | 'never';
  readonly status: number;
  /**
   * The upstream's words. Shown to the caller only for `retry: 'never'` and for `invalid_request`;
   * they speak of his request.
   */
  readonly message: string;
  readonly code: string | null;
  readonly param: string | null;
  readonly retryAfterMs: number | null;
}

export interface UpstreamErrorInput {
  readonly status: number;
  readonly headers: UpstreamHeaders;
  /** At most 64 KiB of it. */
  readonly body: Uint8Array;
  readonly nowMs: number;
}

/** A setting that could not be passed on as it stood; told to the caller in `warnings`. */
export interface Warning {
  readonly code: 'dropped' | 'renamed' | 'emulated' | 'clamped' | 'ignored' | 'deprecated';
  /** Path of the field in the caller's own dialect. */
  readonly param: string;
  readonly message: string;
}

/** A change of one top-level member of a raw JSON body. `json` is JSON text. */
export type BodyEdit =
  | { readonly op: 'set'; readonly key: string; readonly json: string }
  | { readonly op: 'remove'; readonly key: string }
  | { readonly op: 'rename'; readonly key: string; readonly to: string };

/** Top-level members of the caller's body: what a provider may ask to decide its edits. */
export interface BodyMembers {
  has(key: string): boolean;
  /** The member's raw JSON text, or undefined. */
  raw(key: string): string | undefined;
}

/** What a same-dialect body needs before this upstream understands it. */
export interface BodyAdaptation {
  readonly edits: readonly BodyEdit[];
  readonly warnings: readonly Warning[];
}

/**
 * The same dialect in and out. Bytes pass; only what is named here is looked at. `answer` and
 * `event` exist only for upstreams whose form would break the official client (Mistral's content
 * arrays): they get parsed JSON and return what the client should see, and cost the parse.
 */
export interface PassThrough {
  /**
   * The top-level member that bounds generated tokens at this host: what to set where the caller
   * sent no bound and one is needed.
   */
  readonly maxTokensKey: string;
  adapt(body: BodyMembers, target: Target): BodyAdaptation;
  /** `body` is the whole parsed answer, or one parsed event. Pure; null where there is none. */
  readUsage(body: unknown): Usage | null;
  readComplaint(body: unknown): UpstreamComplaint | null;
  answer?(body: unknown): unknown;
  event?(event: unknown): unknown;
}

/** Incremental decoder of one stream; state lives inside one request. */
export interface ChatStreamDecoder {
  push(event: { readonly event: string | null; readonly data: string }): readonly ChatEvent[];
  end(): readonly ChatEvent[];
}

/**
 * Thrown by `encode`: this upstream cannot take the request, and no repair would be honest. Another
 * may take it; if none does, the caller gets a 400 with these words.
 */
export class CannotSay extends Error {
  override readonly name = 'CannotSay';
  /** Path in the caller's body: `messages[3].content[1]`. */
  readonly param: string;

  constructor(param: string, message: string) {
    super(message);
    this.param = param;
  }
}

export interface Encoded {
  /** JSON. */
  readonly body: unknown;
  readonly warnings: readonly Warning[];
  /** Headers that this request needs besides the usual ones, such as a beta's name. */
  readonly headers?: HeaderPairs;
  /** Members of the caller's body that the form has no word for and this body says all the same. */
  readonly said?: readonly string[];
}

/** Translation from and to the common form. */
export interface ChatCodec {
  /** Throws CannotSay. */
  encode(form: ChatForm, target: Target): Encoded;
  /** A whole answer. Throws what it likes if it is not one: the gateway calls that malformed. */
  decode(body: unknown): ChatAnswer;
  /** What an upstream complains of under 200, in place of a whole answer; null if it does not. */
  readComplaint?(body: unknown): UpstreamComplaint | null;
  stream(): ChatStreamDecoder;
}

/** How a streamed answer is cut into events. */
export type StreamFraming = 'sse' | 'aws-event-stream';

export interface ChatSupport {
  readonly dialect: Dialect;
  readonly codec: ChatCodec;
  /** `sse` unless said. Of a binary frame, `event` is its `:event-type` or `:exception-type`. */
  readonly framing?: StreamFraming;
  /** Present where the dialect is also a door's. */
  readonly passThrough?: PassThrough;
  /** What its address is asked for, where that is not the chat itself. */
  readonly operation?: Operation;
  /**
   * How the same host is to be asked what it is known to refuse said like this; null for all other
   * bodies, which are most. Asked of each body more than once.
   */
  readonly detour?: (body: BodyMembers) => ChatSupport | null;
}

export interface Provider {
  readonly id: string;
  readonly name: string;
  /** The host's API documentation. */
  readonly docs: string;
  /** Null: the operator must say where it is (azure-openai, vllm, openai-compatible ...). */
  readonly baseUrl: string | null;
  /** Environment variables, usual names first, whose presence switches the provider on. */
  readonly env: {
    readonly apiKey: readonly string[];
    readonly baseUrl?: readonly string[];
    readonly region?: readonly string[];
    readonly project?: readonly string[];
  };
  /** False for hosts that need no secret (ollama, vllm, lm-studio). */
  readonly needsKey: boolean;
  /** Whether an abort ends generation and its bill, or is billed to the end (money.md, rule 6). */
  readonly onCancel: 'stops' | 'bills_on';
  address(target: Target, operation: Operation): UpstreamAddress;
  credentials(input: CredentialInput): Awaitable<Credentials>;
  readError(input: UpstreamErrorInput): UpstreamError;
  readonly offers: readonly Offer[];
  /** A function where one host speaks several dialects, by model (Vertex, Azure). */
  readonly chat?: ChatSupport | ((target: Target) => ChatSupport);
  /** Undefined also for single models that make none. */
  readonly embeddings?: EmbeddingsSupport | ((target: Target) => EmbeddingsSupport | undefined);
}
