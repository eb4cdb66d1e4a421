/**
 * Facts of the lab: what a model is, whoever serves it. One public id per model across all hosts;
 * what a host calls it, and what it charges, stands in that provider's `offers.ts`.
 */

import type { Offer } from '#providers/offers.ts';

export type Modality = 'text' | 'image' | 'audio' | 'video' | 'file' | 'embedding';

export type Capability =
  | 'tools'
  | 'json_mode'
  | 'structured_output'
  | 'reasoning'
  | 'vision'
  | 'audio'
  | 'web_search';

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
  /**
   * Other names of the very same model: hosts' ids, pointers such as `-latest`. Never a snapshot.
   */
  readonly aliases: readonly string[];
}

/** What a catalog is built from. */
export interface CatalogSources {
  readonly models: readonly ModelFacts[];
  /** By provider id, in the order in which offers of the same model are listed. */
  readonly offers: Readonly<Record<string, readonly Offer[]>>;
}
