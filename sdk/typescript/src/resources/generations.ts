/** `client.generations`: receipts, from which every cost can be done again by hand. */
import type { Caller } from '../caller.ts';
import type { GenerationResponse } from '../generated/types.ts';
import type { CallOptions } from '../options.ts';
import type { Answered } from '../response-info.ts';

export class Generations {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** The receipt of `gen_...`: there within a second of the answer's end. */
  retrieve(id: string, options?: CallOptions): Promise<Answered<GenerationResponse>> {
    return this.#caller.call('getGeneration', { query: { id } }, options);
  }
}
