/**
 * Where models run, as the gateway sees it: the join of catalog, providers and the operator's
 * config.
 */
import type { CatalogOffer } from '#catalog/catalog.ts';
import type { RetiredModel } from '#catalog/models.ts';
import type { Price } from '#catalog/pricing.ts';
import type { Book } from '#ledger/ledger.ts';
import type { EmbeddingsSupport } from '#providers/embeddings.ts';
import type { ChatSupport, HeaderPairs, Provider, Target } from '#providers/provider.ts';

/** One model at one host with one credential. */
export interface Endpoint {
  /** For receipts and logs: `<configured provider>/<upstream model>`. */
  readonly id: string;
  /** The operator's name of the provider; what `provider` in an answer says. */
  readonly providerName: string;
  readonly provider: Provider;
  /** How it speaks chat, if it does: what has no `passThrough` is translated. */
  readonly chat: ChatSupport | null;
  /** How it makes embeddings, if it does. */
  readonly embeddings: EmbeddingsSupport | null;
  readonly target: Target;
  /** Empty where the host needs none. */
  readonly secret: string;
  readonly headers: HeaderPairs;
  readonly price: Price;
  /** Tokens; null where nobody says. */
  readonly context: number | null;
  readonly maxOutput: number | null;
  /** ISO date on which this host stops serving it; null where none is known. */
  readonly shutdown: string | null;
  /** How long the upstream may be silent, before its first byte and between two. */
  readonly silenceMs: SilenceLimits;
  readonly book: Book;
}

/** The plan lets only endpoints that chat serve a chat. */
export function chatOf({ id, chat }: Endpoint): ChatSupport {
  if (chat === null) throw new Error(`${id} was planned for a chat and has none`);
  return chat;
}

/** The same for embeddings. */
export function embeddingsOf({ id, embeddings }: Endpoint): EmbeddingsSupport {
  if (embeddings === null) throw new Error(`${id} was planned for embeddings and has none`);
  return embeddings;
}

export interface SilenceLimits {
  /** A streamed answer's first event. */
  readonly firstEvent: number;
  /** A whole answer, from dispatch to its first byte. */
  readonly wholeAnswer: number;
  /** Between two reads of an answer that has begun. */
  readonly idle: number;
}

/** A model as callers name it. */
export interface PublicModel {
  readonly id: string;
  readonly name: string;
  readonly lab: string | null;
  /** Unix seconds. */
  readonly created: number;
  readonly context: number | null;
  readonly maxOutput: number | null;
  readonly inputModalities: readonly string[];
  readonly outputModalities: readonly string[];
  readonly capabilities: readonly string[];
  readonly shutdown: string | null;
  /** Public id of what its lab recommends in its place. */
  readonly successor: string | null;
  /** Ids of the providers that the catalog knows to serve it. */
  readonly hosts: readonly string[];
  /** What the catalog knows of these hosts. */
  readonly offers: readonly CatalogOffer[];
  /** In the order in which they are tried. */
  readonly endpoints: readonly Endpoint[];
  /** An alias: the models behind it, in order. It has no endpoints of its own. */
  readonly chain: readonly string[] | null;
}

export interface Directory {
  /** The models that a name stands for, in order of preference; empty when there is none. */
  resolve(name: string): readonly PublicModel[];
  /** Models that can be used now. */
  available(): readonly PublicModel[];
  /** The whole catalog; those without endpoints cannot be used. */
  all(): readonly PublicModel[];
  /** A model that its lab has shut down and nobody serves; undefined for all others. */
  retired(name: string): RetiredModel | undefined;
  /** Names somebody may have meant, best first. */
  nearest(name: string, among: readonly PublicModel[]): readonly string[];
}
