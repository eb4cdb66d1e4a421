/** The client: one key, one gateway, and a member for each part of the API. */
import { Caller } from './caller.ts';
import type { CreateEstimateData, Estimate, EstimateRequest } from './generated/types.ts';
import { type CallOptions, type ClientOptions, resolveSettings } from './options.ts';
import { Chat } from './resources/chat.ts';
import { Credits } from './resources/credits.ts';
import { Embeddings } from './resources/embeddings.ts';
import { Generations } from './resources/generations.ts';
import { Keys } from './resources/keys.ts';
import { Models } from './resources/models.ts';
import type { Answered } from './response-info.ts';

export type EstimateQuery = NonNullable<CreateEstimateData['query']>;

export class OmniX {
  readonly chat: Chat;
  readonly embeddings: Embeddings;
  readonly models: Models;
  readonly keys: Keys;
  readonly credits: Credits;
  readonly generations: Generations;
  readonly #caller: Caller;

  /** Throws OmniXError where the options cannot work: no key, no URL, a browser. */
  constructor(options: ClientOptions = {}) {
    const caller = new Caller(resolveSettings(options));
    this.#caller = caller;
    this.chat = new Chat(caller);
    this.embeddings = new Embeddings(caller);
    this.models = new Models(caller);
    this.keys = new Keys(caller);
    this.credits = new Credits(caller);
    this.generations = new Generations(caller);
  }

  /** What a request would cost; it is not run. Takes the body that the request would have. */
  estimate(
    body: EstimateRequest,
    options: CallOptions & EstimateQuery = {},
  ): Promise<Answered<Estimate>> {
    const { endpoint, ...rest } = options;
    const query = endpoint === undefined ? {} : { endpoint };
    return this.#caller.call('createEstimate', { body, query }, rest);
  }
}
