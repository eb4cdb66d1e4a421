/** A host as the catalog knows it: where each data set keeps it, and what was decided by hand. */

export interface Host {
  readonly providerId: string;
  readonly title: string;
  readonly dev: string;
  readonly genai?: string;
  /** Prefixes under which litellm keeps the host's models; the first hit counts. */
  readonly litellm: readonly string[];
  /** The price page, where genai-prices names none or a worse one. */
  readonly page?: string;
  /** Ids that models.dev did not list yet on its date. */
  readonly more?: readonly string[];
  /** Only these, where a host serves more than is used. */
  readonly only?: readonly string[];
  readonly except?: RegExp;
  /** Knows a Claude by its dated id alone. */
  readonly undated?: true;
  /** Sells what labs serve: a model that its lab has shut down is gone here too. */
  readonly reseller?: true;
  /**
   * Its models that are no chat, in litellm: the names of the provider there, and what stands
   * before an id. `embedders`: those that only genai-prices knows, and the tokens of one input.
   */
  readonly media?: {
    readonly providers: readonly string[];
    readonly prefix: string;
    readonly embedders?: Readonly<Record<string, number>>;
  };
  /** Regions in which an id is served, where that depends on the id. */
  readonly regions?: (id: string) => readonly string[] | undefined;
  /** Ids of models that answer only through a profile (`us.`, `eu.`, `global.`) where one is. */
  readonly profiles?: RegExp;
  /** Its provider translates chat to the Responses API for models that have nothing else. */
  readonly responses?: true;
  /**
   * Believed about a model only where labs and the first hosts say nothing, or where nobody else
   * says anything.
   */
  readonly facts?: 'second' | 'last';
  /** Its batch API takes half, of every bucket or of input and output. */
  readonly halfInBatch?: 'all' | 'sides';
  /** May cost nothing: the host gives these away for good. */
  readonly free?: readonly string[];
}
