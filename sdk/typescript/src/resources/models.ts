/** `client.models`: what there is, where it runs, and what it costs. */
import type { Caller } from '../caller.ts';
import type {
  ListModelsData,
  Model,
  ModelEndpointsResponse,
  ModelList,
  ModelWithEndpoints,
} from '../generated/types.ts';
import type { CallOptions } from '../options.ts';
import { type Listing, toListing } from '../listing.ts';
import type { Answered } from '../response-info.ts';

export type ModelQuery = NonNullable<ListModelsData['query']>;

export class Models {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** What this key can use now; all filters given must match. */
  list(query: ModelQuery = {}, options?: CallOptions): Listing<Model, Answered<ModelList>> {
    return toListing(this.#caller.call('listModels', { query }, options), () => null);
  }

  /** One model, with its endpoints. */
  retrieve(model: string, options?: CallOptions): Promise<Answered<ModelWithEndpoints>> {
    return this.#caller.call('getModel', { path: { model } }, options);
  }

  /** Where a model can run, in the order in which places are tried. */
  endpoints(model: string, options?: CallOptions): Promise<Answered<ModelEndpointsResponse>> {
    return this.#caller.call('listModelEndpoints', { path: { model } }, options);
  }
}
