/** `client.credits`: what an organization has, and what it is granted. */
import type { Caller } from '../caller.ts';
import type {
  CreateCreditGrantRequest,
  CreditGrantResponse,
  CreditsResponse,
} from '../generated/types.ts';
import type { CallOptions } from '../options.ts';
import type { Answered } from '../response-info.ts';

export class Credits {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** What was granted, charged, is held and is left. */
  retrieve(options?: CallOptions): Promise<Answered<CreditsResponse>> {
    return this.#caller.call('getCredits', {}, options);
  }

  /** With a management key. */
  grant(
    body: CreateCreditGrantRequest,
    options?: CallOptions,
  ): Promise<Answered<CreditGrantResponse>> {
    return this.#caller.call('createCreditGrant', { body }, options);
  }
}
