/** What a key's fields may hold: each bound at its edge, and a refusal that names the field. */
import { describe, expect, it } from 'vitest';
import { NOW_MS, startHouse } from '#testing/management-rig.ts';
import { at, objectOf, stringOf, type JsonObject } from '#testing/recordings-json.ts';
import { keyCreatedResponseSchema } from '#wire/keys.ts';

type Fields = Readonly<Record<string, unknown>>;

const pairs = (count: number): Fields =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));
const texts = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `t${index}`);

function draft(fields: Fields): string {
  return JSON.stringify({ name: 'ci', ...fields });
}

/** The error of a body, which must be the same when the key is made and when it is changed. */
async function refusal(fields: Fields): Promise<JsonObject> {
  const { call, records } = await startHouse();
  const before = records.size;
  const made = await call('/keys', { body: draft(fields) });
  expect(made.status).toBe(400);
  expect(records.size).toBe(before);
  const changed = await call('/keys/key_x', { method: 'PATCH', body: JSON.stringify(fields) });
  const error = objectOf(at(made.json, 'error'));
  expect(at(changed.json, 'error', 'message')).toBe(error['message']);
  return error;
}

describe('a key takes', () => {
  it.each<Fields>([
    { metadata: pairs(16) },
    { metadata: { toString: 'x', constructor: 'y' } },
    { metadata: { ['k'.repeat(64)]: 'v'.repeat(512), ü: 'line\nbreak', '': '' } },
    { tags: texts(10) },
    { tags: ['x'.repeat(64)] },
    { expires_at: new Date(NOW_MS + 1).toISOString() },
    { expires_at: '2027-12-31T23:59:59Z' },
    { expires_at: '2027-12-31T23:59:59.5+00:00' },
    { models: ['gpt-4o', 'openai/gpt-4o'] },
  ])('%j', async (fields) => {
    const { call } = await startHouse();
    const made = await call('/keys', { body: draft(fields) });
    expect(made.status, made.text).toBe(201);
    const { data } = keyCreatedResponseSchema.parse(made.json);
    const { expires_at: expiry, ...others } = fields;
    expect(data).toMatchObject(others);
    expect(data.expires_at === null).toBe(expiry === undefined);
  });
});

describe('a key refuses, made or changed', () => {
  it.each<[Fields, string, string]>([
    [{ metadata: pairs(17) }, 'metadata', 'at most 16 pairs'],
    [{ metadata: { ['k'.repeat(65)]: 'v' } }, 'metadata', 'keys of at most 64 characters'],
    [{ metadata: { k: 'v'.repeat(513) } }, 'metadata.k', 'at most 512 characters'],
    [{ metadata: { k: 'zero\0byte' } }, 'metadata.k', 'without zero bytes'],
    [{ metadata: { k: 1 } }, 'metadata.k', 'a string, but got a number'],
    [{ metadata: Object.fromEntries([['__proto__', 'x']]) }, 'metadata', "no key '__proto__'"],
    [{ metadata: ['v'] }, 'metadata', 'an object, but got an array'],
    [{ tags: texts(11) }, 'tags', 'at most 10 items'],
    [{ tags: ['x'.repeat(65)] }, 'tags[0]', 'at most 64 characters'],
    [{ tags: ['a', 'a'] }, 'tags', 'each tag once'],
    [{ tags: [' '] }, 'tags[0]', 'expected some text'],
    [{ expires_at: new Date(NOW_MS).toISOString() }, 'expires_at', 'a time to come'],
    [{ expires_at: '2027-12-31T23:59:59+02:00' }, 'expires_at', 'UTC as ISO 8601, such as'],
    [{ expires_at: '2027-12-31' }, 'expires_at', 'UTC as ISO 8601, such as'],
    [{ expires_at: '2027-02-30T00:00:00Z' }, 'expires_at', 'UTC as ISO 8601, such as'],
    [{ expires_at: 1_830_297_599 }, 'expires_at', 'a string, but got a number'],
    [{ models: [] }, 'models', 'at least 1 item'],
    [{ models: texts(101) }, 'models', 'at most 100 items'],
    [{ models: 'gpt-4o' }, 'models', 'an array, but got a string'],
    [{ models: ['gpt-4o', 'gpt-4oo'] }, 'models[1]', "nearest names are 'gpt-4o'"],
    [{ models: ['x'.repeat(201)] }, 'models[0]', 'at most 200 characters'],
    [{ providers: [] }, 'providers', 'at least 1 item'],
    [{ providers: ['nobody'] }, 'providers[0]', "there is no provider 'nobody'"],
  ])('%.60j: %s', async (fields, param, said) => {
    const refused = await refusal(fields);
    expect(refused['param']).toBe(param);
    expect(refused['message']).toContain(said);
    expect(stringOf(refused['message']).length).toBeLessThan(500);
  });

  it.each(['models', 'providers'])('%s for a management key', async (field) => {
    const { call, owner } = await startHouse();
    const list = { [field]: ['gpt-4o'] };
    const made = await call('/keys', { body: draft({ type: 'management', ...list }) });
    expect(made.json).toMatchObject({ error: { code: 'invalid_value', param: field } });
    if (field === 'providers') return;
    const path = `/keys/${owner.keyId}`;
    const changed = await call(path, { method: 'PATCH', body: JSON.stringify(list) });
    expect(changed.json).toMatchObject({ error: { code: 'invalid_value', param: field } });
    const body = '{"models":null,"providers":null}';
    expect((await call(path, { method: 'PATCH', body })).status).toBe(200);
  });
});

describe('a rotation', () => {
  it.each([
    ['{}', 'missing_required_parameter'],
    ['{"overlap_seconds":-1}', 'invalid_value'],
    ['{"overlap_seconds":604801}', 'invalid_value'],
    ['{"overlap_seconds":0.5}', 'invalid_type'],
    ['{"overlap_seconds":"60"}', 'invalid_type'],
    ['{"overlap_seconds":null}', 'invalid_type'],
    ['{"overlap_seconds":1e400}', 'invalid_type'],
    ['{"overlap_seconds":0,"secret":"sk-omx-live-mine"}', 'unknown_parameter'],
  ])('%s is refused and changes nothing', async (body, code) => {
    const { call, live, records } = await startHouse();
    const before = records.get(live.keyId);
    const refused = await call(`/keys/${live.keyId}/rotate`, { body });
    expect(refused.status).toBe(400);
    expect(refused.json).toMatchObject({ error: { code } });
    expect(records.get(live.keyId)).toBe(before);
  });

  it.each(['key_x', 'nothing', '..%2f'])('of %s, which is no key, is a 404', async (hash) => {
    const { call } = await startHouse();
    const refused = await call(`/keys/${hash}/rotate`, { body: '{"overlap_seconds":0}' });
    expect(refused.status).toBe(404);
    expect((await call(`/keys/${hash}/rotate`)).status).toBe(405);
  });

  it('leaves five old secrets at most, until one with no overlap ends them all', async () => {
    const { call, live } = await startHouse();
    const path = `/keys/${live.keyId}/rotate`;
    for (let count = 1; count <= 5; count += 1) {
      const rotated = await call(path, { body: '{"overlap_seconds":60}' });
      const { data } = keyCreatedResponseSchema.parse(rotated.json);
      expect(data.old_secrets).toHaveLength(count);
    }
    const refused = await call(path, { body: '{"overlap_seconds":60}' });
    expect(refused.json).toMatchObject({
      error: { code: 'invalid_value', param: 'overlap_seconds' },
    });
    expect(refused.text).toContain('Send 0 to end them all now');
    const ended = await call(path, { body: '{"overlap_seconds":0}' });
    expect(keyCreatedResponseSchema.parse(ended.json).data.old_secrets).toEqual([]);
  });
});
