/** `client.keys`: API keys, made and changed with a management key. */
import type { Caller } from '../caller.ts';
import type {
  CreateKeyRequest,
  Key,
  KeyCreated,
  KeyDeleted,
  KeyList,
  KeyResponse,
  ListKeysData,
  OwnKeyResponse,
  RotateKeyRequest,
  UpdateKeyRequest,
} from '../generated/types.ts';
import { type Listing, toListing } from '../listing.ts';
import type { CallOptions } from '../options.ts';
import type { Answered } from '../response-info.ts';

export type KeyQuery = NonNullable<ListKeysData['query']>;

export class Keys {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** `key` of the answer is the secret: shown here and never again. */
  create(body: CreateKeyRequest, options?: CallOptions): Promise<Answered<KeyCreated>> {
    return this.#caller.call('createKey', { body }, options);
  }

  /** The newest first. A loop goes over all pages, each of `limit` keys. */
  list(query: KeyQuery = {}, options?: CallOptions): Listing<Key, Answered<KeyList>> {
    const ask = (offset: number): Promise<Answered<KeyList>> =>
      this.#caller.call('listKeys', { query: { ...query, offset } }, options);
    const start = query.offset ?? 0;
    return toListing(ask(start), (page, passed) => (page.has_more ? ask(start + passed) : null));
  }

  /** By its `hash`: `key_...`. */
  retrieve(hash: string, options?: CallOptions): Promise<Answered<KeyResponse>> {
    return this.#caller.call('getKey', { path: { hash } }, options);
  }

  /** What is left out stays as it is. */
  update(
    hash: string,
    body: UpdateKeyRequest,
    options?: CallOptions,
  ): Promise<Answered<KeyResponse>> {
    return this.#caller.call('updateKey', { path: { hash }, body }, options);
  }

  /** It is refused from then on. */
  delete(hash: string, options?: CallOptions): Promise<Answered<KeyDeleted>> {
    return this.#caller.call('deleteKey', { path: { hash } }, options);
  }

  /** A new secret for the same key; the present one works on for `overlap_seconds`. */
  rotate(
    hash: string,
    body: RotateKeyRequest,
    options?: CallOptions,
  ): Promise<Answered<KeyCreated>> {
    return this.#caller.call('rotateKey', { path: { hash }, body }, options);
  }

  /** The key that asks. */
  current(options?: CallOptions): Promise<Answered<OwnKeyResponse>> {
    return this.#caller.call('getOwnKey', {}, options);
  }
}
