/** The package is whole: every operation has a method, and its version is the gateway's. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { OPERATIONS } from '../typescript/src/generated/operations.ts';
import { OmniX } from '../typescript/src/index.ts';
import { at, parse } from '#testing/recordings-json.ts';

function readJson(path: string): unknown {
  return parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
}

describe('the client', () => {
  it('has a method for each operation of the document', async () => {
    const sent: string[] = [];
    const client = new OmniX({
      apiKey: 'x',
      baseURL: 'http://h',
      fetch: async (url, init) => {
        sent.push(`${init.method} ${new URL(url).pathname}`);
        return Response.json({ data: [] });
      },
    });
    const messages = [{ role: 'user' as const, content: 'x' }];
    await client.chat.completions.create({ model: 'm', messages });
    await client.embeddings.create({ model: 'm', input: 'x' });
    await client.estimate({ model: 'm', messages });
    await client.models.list();
    await client.models.retrieve('{model}');
    await client.models.endpoints('{model}');
    await client.generations.retrieve('gen_1');
    await client.keys.create({ name: 'x' });
    await client.keys.list();
    await client.keys.retrieve('{hash}');
    await client.keys.update('{hash}', { disabled: true });
    await client.keys.delete('{hash}');
    await client.keys.rotate('{hash}', { overlap_seconds: 0 });
    await client.keys.current();
    await client.credits.retrieve();
    await client.credits.grant({ amount_usd: '1', reason: 'x' });
    const documented = Object.values(OPERATIONS).map(({ method, path }) => `${method} ${path}`);
    expect(new Set(sent.map(decodeURIComponent))).toEqual(new Set(documented));
  });
});

describe('package.json', () => {
  it('has the version of the gateway, and no dependency', () => {
    const manifest = readJson('../typescript/package.json');
    expect(at(manifest, 'version')).toBe(at(readJson('../../package.json'), 'version'));
    expect(at(manifest, 'dependencies')).toBeUndefined();
    expect(at(manifest, 'peerDependencies')).toBeUndefined();
  });
});
