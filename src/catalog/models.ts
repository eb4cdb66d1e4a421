/**
 * Facts of the lab: what a model is, whoever serves it. One public id per model across all hosts;
 * what a host calls it, and what it charges, stands in that provider's `offers.ts`.
 */

import type { Offer } from '#providers/offers.ts';

export const MODALITIES = ['text', 'image', 'audio', 'video', 'file', 'embedding'] as const;
export type Modality = (typeof MODALITIES)[number];

export const CAPABILITIES = [
  'tools',
  'json_mode',
  'structured_output',
  'reasoning',
  /** Takes `temperature` and `top_p`. */
  'sampling',
  'vision',
  'audio',
  'web_search',
] as const;
export type Capability = (typeof CAPABILITIES)[number];

export interface ModelFacts {
  /** Public id; the same whoever serves it. */
  readonly id: string;
  /** Who made it: `openai`, `meta`, `qwen` ... `<lab>/<id>` finds it too. */
  readonly lab: string;
  readonly name: string;
  /** Release, Unix seconds. */
  readonly created: number;
  /** Tokens, input and output together; null where the lab does not say. */
  readonly context: number | null;
  /** Tokens of one answer; null where the lab does not say: the context is the limit. */
  readonly maxOutput: number | null;
  readonly input: readonly Modality[];
  readonly output: readonly Modality[];
  readonly capabilities: readonly Capability[];
  /** ISO date on which the lab's own API shuts it down; other hosts have dates of their own. */
  readonly shutdown?: string;
  /** Public id of the model that the lab recommends in its place. */
  readonly successor?: string;
  /**
   * Other names of the very same model: hosts' ids, pointers such as `-latest`. Never a snapshot.
   */
  readonly aliases: readonly string[];
}

/** A model that its lab no longer serves, so that callers learn what became of it. */
export interface RetiredModel {
  readonly id: string;
  /** ISO date. */
  readonly shutdown: string;
  /** Public id of what the lab recommends instead; null where nothing is known. */
  readonly successor: string | null;
}

/** Whether it answers a conversation. Others (embeddings, speech, images) have their own doors. */
export function isChatModel(facts: Pick<ModelFacts, 'input' | 'output'>): boolean {
  return facts.input.includes('text') && facts.output.includes('text');
}

/** What a catalog is built from. */
export interface CatalogSources {
  readonly models: readonly ModelFacts[];
  readonly retired?: readonly RetiredModel[];
  /** By provider id, in the order in which offers of the same model are listed. */
  readonly offers: Readonly<Record<string, readonly Offer[]>>;
}
