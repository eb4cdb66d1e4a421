/** `client.embeddings`: vectors come as base64, a third of the size, and are given as numbers. */
import type { Caller } from '../caller.ts';
import { OmniXError } from '../errors.ts';
import type { EmbeddingList, EmbeddingRequest } from '../generated/types.ts';
import type { CallOptions } from '../options.ts';
import type { Answered } from '../response-info.ts';

export interface Vector {
  readonly object: 'embedding';
  readonly index: number;
  readonly embedding: number[];
}

/** An EmbeddingList whose vectors are numbers. */
export interface VectorList {
  readonly object: 'list';
  readonly model: string;
  readonly data: Vector[];
  readonly usage: EmbeddingList['usage'];
  readonly provider: string;
  readonly warnings?: EmbeddingList['warnings'];
}

type AsText = EmbeddingRequest & { readonly encoding_format: 'base64' };
type AsNumbers = EmbeddingRequest & { readonly encoding_format?: 'float' | null };

const FLOAT_BYTES = 4;

export class Embeddings {
  readonly #caller: Caller;

  constructor(caller: Caller) {
    this.#caller = caller;
  }

  /** Vectors as numbers, unless `encoding_format: 'base64'` asks for the text itself. */
  create(body: AsText, options?: CallOptions): Promise<Answered<EmbeddingList>>;
  create(body: AsNumbers, options?: CallOptions): Promise<Answered<VectorList>>;
  async create(
    body: EmbeddingRequest,
    options?: CallOptions,
  ): Promise<Answered<EmbeddingList> | Answered<VectorList>> {
    const asked = { ...body, encoding_format: body.encoding_format ?? 'base64' } as const;
    const list = await this.#caller.call('createEmbedding', { body: asked }, options);
    if (body.encoding_format === 'base64') return list;
    for (const item of list.data) {
      if (typeof item.embedding === 'string') item.embedding = toNumbers(item.embedding);
    }
    return list;
  }
}

/** Floats of 32 bits, the lowest byte first. */
function toNumbers(base64: string): number[] {
  const binary = atob(base64);
  if (binary.length % FLOAT_BYTES !== 0) {
    throw new OmniXError('The answer holds a vector that is cut short.');
  }
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at += 1) bytes[at] = binary.charCodeAt(at);
  const view = new DataView(bytes.buffer);
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; at += FLOAT_BYTES) numbers.push(view.getFloat32(at, true));
  return numbers;
}
