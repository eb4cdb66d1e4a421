/**
 * A request as the five steps see it, whatever it asks for and through whichever door it came: the
 * facts that plan and hold go by, and the few things that only its modality knows how to do. A
 * modality is a folder here (`chat/`, `embeddings/`) whose request is one of these.
 */
import type { Result } from '#base/result.ts';
import type { UpstreamHeaders } from '#base/transport.ts';
import type { UpstreamComplaint } from '#providers/form.ts';
import type { HeaderPairs, Operation, Warning } from '#providers/provider.ts';
import type { AnswerStream, WholeAnswer } from './answer.ts';
import type { Endpoint } from './endpoint.ts';
import type { Candidate } from './plan.ts';
import type { TokenCounter } from './tokens.ts';

/** What an endpoint must offer to be asked: the name of its support. */
export type Modality = 'chat' | 'embeddings';

/** A model as the caller named it, and where in the body he did. */
export interface RequestedName {
  readonly name: string;
  readonly param: string;
}

export interface RequestFacts {
  readonly modality: Modality;
  /** `model` and then `models`, without repeats: what to try, in order. */
  readonly names: readonly RequestedName[];
  /**
   * Whether another model may answer in place of the first that serves: of an alias or a list.
   * Vectors of two models cannot be compared, so embeddings stay with one.
   */
  readonly anyModel: boolean;
  readonly stream: boolean;
  /** Inputs that the model reads apart from one another, each within its context. */
  readonly inputs: number;
  /** The bound on generated tokens, each choice; null when the caller set none. */
  readonly outputTokensMax: number | null;
  readonly choices: number;
  readonly inputTokensMax: number;
  /** The part of `inputTokensMax` that media may have: what counting the text cannot lower. */
  readonly mediaTokensMax: number;
  readonly inputMedia: boolean;
  /** The service tier that is asked for; null for the one that everybody gets. */
  readonly serviceTier: string | null;
}

/** The caller's request as one host wants it. */
export interface HostBody {
  readonly body: Uint8Array;
  /** What the answer should be: the value of `accept`. */
  readonly accept: string;
  readonly warnings: readonly Warning[];
  /** Headers that this body needs. */
  readonly headers: HeaderPairs;
  /** What its address is asked for, where that is not the request's own. */
  readonly operation?: Operation;
}

/** What an answer that is read or written anew must know of its request. */
export interface AnswerContext {
  readonly endpoint: Endpoint;
  readonly generationId: string;
  readonly nowMs: () => number;
}

/** A whole answer as it came. */
export interface UpstreamAnswer {
  readonly headers: UpstreamHeaders;
  readonly body: Uint8Array;
}

export interface InferenceRequest extends RequestFacts {
  readonly operation: Operation;
  /** Whether tokens are generated, so that an answer without any and without an end is none. */
  readonly generates: boolean;
  /** How often the host may have read the input to answer. */
  inputRounds(): number;
  /** Input tokens as near as our tokenizer comes, where no upstream counted them. */
  countInput(tokens: TokenCounter): Promise<number>;
  /**
   * Tokens of all that is no medium, not less than what a template makes of it: for holding credit.
   */
  countText(tokens: TokenCounter): Promise<number>;
  /**
   * The body for one candidate; the cap is set where the account pays for no more generated tokens.
   * Throws CannotSay where this host cannot take the request.
   */
  bodyFor(candidate: Candidate, outputTokensCap: number | null): HostBody;
  /**
   * The same request in pieces where the endpoint takes no more at once; itself where it does. The
   * answers of the pieces are put together by `join`.
   */
  piecesFor(endpoint: Endpoint): readonly InferenceRequest[];
  join(answers: readonly [WholeAnswer, ...WholeAnswer[]]): WholeAnswer;
  /** Null where the answer is to come whole. */
  openStream(context: AnswerContext, eventBytesMax: number): AnswerStream | null;
  /** Reads an upstream's 200; the error is what it complained of, or what is wrong with it. */
  readWhole(context: AnswerContext, answer: UpstreamAnswer): Result<WholeAnswer, UpstreamComplaint>;
}
