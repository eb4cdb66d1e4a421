/**
 * A fuzzer that the document itself drives: its operations with its examples, changed at random, by
 * every kind of caller. No answer may be a 5xx of ours, or another than the document says.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  createOpenApiChecker,
  type DocumentedOperation,
  type OpenApiChecker,
} from '#testing/openapi-checker.ts';
import { at, listOf, objectOf, stringOf, type JsonObject } from '#testing/recordings-json.ts';
import { createTestGateway, type TestGateway } from '#testing/test-gateway.ts';

const REQUESTS = 10_000;

let house: TestGateway;
let document: JsonObject;
let checker: OpenApiChecker;
let keys: readonly string[];
let ownHash: string;
beforeAll(async () => {
  house = await createTestGateway();
  document = objectOf(await (await house.app.request('/openapi.json')).json());
  checker = createOpenApiChecker(document);
  const { live, test, management } = house.keys;
  keys = [live, test, management, management, 'sk-omx-live-nonsense', ''];
  const own = await house.get('/v1/key', management);
  ownHash = stringOf(at(await own.json(), 'data', 'hash'));
});
afterAll(() => house.close());

/** Members of a body, in the order of its schema. */
function membersOf(operation: DocumentedOperation): readonly string[] {
  const content = at(operation.json, 'requestBody', 'content', 'application/json');
  const name =
    stringOf(at(content, 'schema', '$ref'))
      .split('/')
      .at(-1) ?? '';
  return Object.keys(objectOf(at(document, 'components', 'schemas', name, 'properties')));
}

function examplesOf(operation: DocumentedOperation): readonly JsonObject[] {
  const content = at(operation.json, 'requestBody', 'content', 'application/json');
  return Object.values(objectOf(at(content, 'examples'))).map((named) =>
    objectOf(at(named, 'value')),
  );
}

const oddValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(null, 1e308, -1, 0.5, '', '\u0000', [], {}, true, [[]], '9'.repeat(30)),
  fc.constantFrom<unknown>('x'.repeat(300), '1e5', 'sandbox/echo', 'sandbox/tools', ['at-a']),
);

interface Draft {
  /** Chooses the operation, the example, the caller, the members and the places of text. */
  readonly picks: readonly number[];
  readonly odd: readonly (readonly [member: number, value: unknown])[];
  readonly text: string;
}

const draft: fc.Arbitrary<Draft> = fc.record({
  picks: fc.array(fc.nat(1_000), { minLength: 5, maxLength: 5 }),
  odd: fc.array(fc.tuple(fc.nat(100), oddValue), { maxLength: 3 }),
  text: fc.string({ maxLength: 20 }),
});

function choose<Item>(items: readonly Item[], pick: number | undefined): Item | undefined {
  return items[(pick ?? 0) % items.length];
}

/** A path that no URL would read as another: dots, slashes and line ends are taken out. */
function pathOf(operation: DocumentedOperation, { picks, text }: Draft): string {
  const word = encodeURIComponent(text.replaceAll(/[/\r\n.]/g, '')) || 'x';
  const name = choose(['sandbox/echo', 'at-a', word], picks[1]);
  const hash = choose([ownHash, word], picks[1]);
  const path = operation.path.replace('{model}', name ?? '').replace('{hash}', hash ?? '');
  const queries = listOf(operation.json['parameters'])
    .filter((parameter) => at(parameter, 'in') === 'query')
    .filter((_, index) => ((picks[2] ?? 0) >> index) % 2 === 1)
    .map((parameter) => {
      const value = choose([text, '1', 'all', 'text'], picks[3]);
      return `${stringOf(at(parameter, 'name'))}=${encodeURIComponent(value ?? '')}`;
    });
  return queries.length === 0 ? path : `${path}?${queries.join('&')}`;
}

function bodyOf(operation: DocumentedOperation, { picks, odd, text }: Draft): string | null {
  const example = choose(examplesOf(operation), picks[4]);
  if (example === undefined) return null;
  if ((picks[3] ?? 0) % 20 === 0) return text;
  const members = membersOf(operation);
  const changes = odd.map(([member, value]) => [choose(members, member), value] as const);
  return JSON.stringify({ ...example, ...Object.fromEntries(changes) });
}

it(
  'the gateway answers what its document says, whatever is asked',
  { timeout: 600_000 },
  async () => {
    const statuses = new Map<number, number>();
    const property = fc.asyncProperty(draft, async (drafted) => {
      const operation = choose(checker.operations, drafted.picks[0]);
      if (operation === undefined) throw new Error('no operations');
      const body = bodyOf(operation, drafted);
      const key = choose(keys, drafted.picks[2]) ?? '';
      const response = await house.app.request(pathOf(operation, drafted), {
        method: operation.method,
        headers: {
          ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
          'content-type': 'application/json',
        },
        ...(body === null ? {} : { body }),
      });
      const { status } = response;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      expect(status).toBeLessThan(500);
      expect(await checker.check(operation.id, response)).toEqual([]);
    });
    await fc.assert(property, { numRuns: REQUESTS });
    await house.untilSettled();
    process.stdout.write(`fuzzed: ${JSON.stringify(Object.fromEntries(statuses))}\n`);
    expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBe(REQUESTS);
    expect(statuses.get(200)).toBeGreaterThan(REQUESTS / 10);
  },
);
