/**
 * What the five steps need of an answer, whoever wrote it and in whichever dialect: when it began,
 * when it ended and how, what it used, and how its last bytes are made. The same dialect is passed
 * through (`pass-*.ts`), another is translated (`translate-*.ts`).
 */
import type { Usage } from '#wire/usage.ts';
import type { GatewayError } from '#wire/errors.ts';
import type { Warning } from '#providers/provider.ts';
import type { UpstreamComplaint } from '#providers/form.ts';
import type { NanoUsd } from '#base/money.ts';

export interface CostSplit {
  readonly total: NanoUsd;
  readonly prompt: NanoUsd;
  readonly completions: NanoUsd;
}

/** What goes into the answer's last bytes and is known only when it has ended. */
export interface AnswerTail {
  readonly usage: Usage;
  /** The upstream's own usage object as it was written, where that is at hand. */
  readonly usageText: string | null;
  readonly cost: CostSplit;
  readonly providerName: string;
  readonly warnings: readonly Warning[];
}

/** What an answer has told so far. */
export interface AnswerReading {
  readonly usage: Usage | null;
  /** The same as it was written, where that is at hand. */
  readonly usageText: string | null;
  /** The upstream's word for why it stopped; null while it has not. */
  readonly finish: string | null;
  /** The upstream's word for the service tier that answered; absent where nothing has tiers. */
  serviceTier?(): string | null;
}

export interface AnswerStream extends AnswerReading {
  /** True after the first event that is part of an answer: nothing is sent before. */
  readonly began: boolean;
  /** True once the upstream has said that it works on an answer, of which nothing has come yet. */
  readonly accepted?: boolean;
  /** True after the upstream's own last event. */
  readonly ended: boolean;
  /**
   * True when all has been said and counted, although the upstream has not closed yet: what fails
   * from now on has cost nobody anything.
   */
  readonly complete: boolean;
  readonly complaint: UpstreamComplaint | null;
  /** Bytes for the client, null if there are none now. */
  push(bytes: Uint8Array): Uint8Array | null;
  /**
   * The upstream closed. Returns what was held back; sets `complaint` if that was not a proper end.
   */
  close(): Uint8Array | null;
  closing(tail: AnswerTail): Uint8Array;
  /** The dialect's own error event. */
  breaking(error: GatewayError, requestId: string): Uint8Array;
  /** All text that was generated, for counting; only asked for where no upstream counted. */
  producedText(): string;
  /**
   * What was generated after the upstream last counted, where it counts bit by bit: a stream that
   * stops early has used that too. Null where its usage, or the lack of it, is all there is.
   */
  uncountedText(): string | null;
}

export interface WholeAnswer extends AnswerReading {
  closing(tail: AnswerTail): Uint8Array;
  producedText(): string;
}
