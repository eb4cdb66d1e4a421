/** The tokenizer of Workers counts as that of Node does: their receipts must agree. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { encodingFrom, readRanks } from './worker-tokens.ts';

const path = createRequire(import.meta.url).resolve('gpt-tokenizer/data/o200k_base.tiktoken');
const table = readFileSync(path, 'utf8');

describe("the tokenizer's table", () => {
  it('read from the asset is the table of the module', async () => {
    const { default: ranks } = await import('gpt-tokenizer/bpeRanks/o200k_base');
    expect(readRanks(table)).toEqual(ranks);
  });

  it('is read once, and again after a failure', async () => {
    const answers = [new Response('', { status: 500 }), new Response(table)];
    const assets = { fetch: () => Promise.resolve(answers.shift() ?? Response.error()) };
    const load = encodingFrom(assets, () => undefined);
    await expect(load()).rejects.toThrow('500');
    const [first, second] = await Promise.all([load(), load()]);
    expect(first).toBe(second);
    expect(first.countTokens('Hello OmniX')).toBe(3);
    expect(answers).toEqual([]);
  });
});
