/**
 * The tokenizer on Workers. Its table is larger than all the code together, so it is no part of it:
 * it lies beside the Worker as an asset, and is read when something must be counted for the first
 * time.
 */
import { GptEncoding } from 'gpt-tokenizer/GptEncoding';
import type { LoadEncoding } from '#gateway/tokens.ts';

/** Files beside the Worker. */
export interface Assets {
  fetch(url: string): Promise<Response>;
}

type Encoding = Awaited<ReturnType<LoadEncoding>>;

const TABLE = 'http://assets/o200k_base.tiktoken';
const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/** A token as the tokenizer wants it: text, or bytes where it is none. */
function toToken(base64: string): string | number[] {
  const bytes = Uint8Array.from(atob(base64), (unit) => unit.charCodeAt(0));
  try {
    const text = decoder.decode(bytes);
    // A byte order mark is lost on the way: such a token stays bytes.
    return encoder.encode(text).length === bytes.length ? text : [...bytes];
  } catch {
    return [...bytes];
  }
}

/** The table's lines are a token in base64 and its rank, in the order of the ranks. */
export function readRanks(table: string): (string | number[])[] {
  const ranks: (string | number[])[] = [];
  for (const line of table.split('\n')) {
    const [token, rank] = line.split(' ');
    if (token !== undefined && rank !== undefined) ranks[Number(rank)] = toToken(token);
  }
  return ranks;
}

/** Reads the table once; a read that failed is tried again. */
export function encodingFrom(
  assets: Assets,
  waitUntil: (promise: Promise<unknown>) => void,
): LoadEncoding {
  const kept: { loading: Promise<Encoding> | null } = { loading: null };
  const load = async (): Promise<Encoding> => {
    const response = await assets.fetch(TABLE);
    if (!response.ok) throw new Error(`the tokenizer's table answered ${response.status}`);
    const ranks = readRanks(await response.text());
    return GptEncoding.getEncodingApi('o200k_base', () => ranks);
  };
  return () => {
    if (kept.loading === null) {
      kept.loading = load().catch((error: unknown) => {
        kept.loading = null;
        throw error;
      });
      // Others wait for it too, whatever becomes of the request that asked first.
      waitUntil(kept.loading.catch(() => undefined));
    }
    return kept.loading;
  };
}
