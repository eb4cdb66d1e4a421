/** The scanner against JSON.parse, and the splicing of members against editing the object. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { toBytes, toText } from './bytes.ts';
import { editJson, type JsonEdit } from './json-edit.ts';
import { JSON_STRING, type JsonIndex } from './json-index.ts';
import { scanJson } from './json-scan.ts';

function scanned(text: string): JsonIndex {
  const result = scanJson(toBytes(text));
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

// With the u flag a class of surrogates matches only those without a partner.
const LONE_SURROGATE = /[\ud800-\udfff]/u;

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('scanJson', () => {
  it('accepts whatever JSON.parse accepts', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom(0, 1, 2), (text, indent) => {
        const source = JSON.stringify(JSON.parse(text), null, indent);
        const result = scanJson(toBytes(source));
        expect(result.ok || result.error.kind === 'repeated_key').toBe(true);
      }),
    );
  });

  it('refuses whatever JSON.parse refuses, one byte changed, dropped or added at a time', () => {
    const source =
      '{"a":[1,-0.5e+3,true,false,null,"x\\u00e9\\n"],"b":{"c":"\u00e9\u{1f600}"},"d":""}';
    const flips = ['"', ',', ':', '}', ']', '{', '0', '-', 'e', '.', '\\', 't', ' ', '\u0001'];
    for (let at = 0; at <= source.length; at += 1) {
      for (const flip of ['', ...flips]) {
        for (const variant of [
          source.slice(0, at) + flip + source.slice(at + 1),
          source.slice(0, at) + flip + source.slice(at),
        ]) {
          // A cut surrogate pair is not UTF-8 and cannot come from bytes.
          if (LONE_SURROGATE.test(variant)) continue;
          const result = scanJson(toBytes(variant));
          const accepted = result.ok || result.error.kind === 'repeated_key';
          expect(accepted, variant).toBe(parses(variant));
        }
      }
    }
  });

  it('refuses bytes that are not UTF-8', () => {
    const hostile = [
      [0x80],
      [0xc0, 0xaf],
      [0xe0, 0x80, 0xaf],
      [0xed, 0xa0, 0x80],
      [0xf0, 0x80, 0x80, 0xaf],
      [0xf4, 0x90, 0x80, 0x80],
      [0xff],
      [0xc3],
      [0xe2, 0x82],
    ];
    for (const bytes of hostile) {
      const body = Uint8Array.from([0x22, ...bytes, 0x22]);
      expect(scanJson(body).ok).toBe(false);
    }
  });

  it('judges a string in a large document, which is read by words, as in a small one', () => {
    const run = fc.nat(20).map((length) => 'plain text and more of it'.slice(0, length));
    const bytes = (...values: number[]) => Buffer.from(values).toString('latin1');
    const sound = [
      [0xc3, 0xa9],
      [0xe6, 0xb2, 0xb3],
      [0xf0, 0x9f, 0x98, 0x80],
    ];
    const broken = [[0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xe6, 0xb2], [0x80], [0xff]];
    const escapes = ['"', '\\', '\\n', '\\u00e9', '\\x'];
    const ascii = ['\n', '\u0001', '\u001f', ' ', '!', '#', '[', ']', '\u007f'];
    const beyond = [...sound, ...broken].map((values) => bytes(...values));
    const rare = fc.constantFrom(...escapes, ...ascii, ...beyond);
    const string = fc.array(fc.oneof(run, run, run, rare), { maxLength: 12 });
    const judge = (source: string, before: number) => {
      const result = scanJson(new Uint8Array(Buffer.from(source, 'latin1')).subarray(before));
      if (result.ok) return { raw: result.value.raw(result.value.member(0, 'v')) };
      return { message: result.error.message, left: source.length - before - result.error.offset };
    };
    fc.assert(
      fc.property(string, fc.nat(7), fc.nat(7), (parts, shift, padding) => {
        const member = `"v":"${parts.join('')}"}`;
        const large = `${' '.repeat(shift)}{"p":"${'p'.repeat(10_000 + padding)}",${member}`;
        expect(judge(large, shift)).toEqual(judge(`{${member}`, 0));
      }),
      { numRuns: 2_000 },
    );
  });

  it('refuses depth beyond the limit without recursing into it', () => {
    const result = scanJson(toBytes('['.repeat(1_000_000)));
    expect(result).toMatchObject({ ok: false, error: { kind: 'depth' } });
    expect(scanJson(toBytes('['.repeat(128) + ']'.repeat(128))).ok).toBe(true);
  });

  it('refuses a repeated key at the top, also when one is escaped or there are many', () => {
    const many = Array.from({ length: 200 }, (_, index) => `"k${index}":1`).join(',');
    for (const body of [
      '{"model":1,"a":2,"model":3}',
      '{"model":1,"\\u006dodel":2}',
      `{${many},"k7":2}`,
    ]) {
      expect(scanJson(toBytes(body))).toMatchObject({ ok: false, error: { kind: 'repeated_key' } });
    }
    expect(scanJson(toBytes(`{${many}}`)).ok).toBe(true);
    expect(scanJson(toBytes('{"a":{"b":1,"b":2}}')).ok).toBe(true);
  });

  it('finds members by their unescaped keys, at every indexed level', () => {
    const index = scanned(
      '{ "\\u006dodel" : "gpt", "messages":[ {"role":"us\\u0065r"} , {"role":"x"} ] }',
    );
    const model = index.member(0, 'model');
    expect(index.string(model)).toBe('gpt');
    const messages = index.member(0, 'messages');
    const first = index.firstChild(messages);
    const second = index.nextChild(messages, first);
    expect(index.string(index.member(first, 'role'))).toBe('user');
    expect(index.kind(index.member(second, 'role'))).toBe(JSON_STRING);
    expect(index.nextChild(messages, second)).toBe(-1);
    expect(index.member(0, 'nothing')).toBe(-1);
  });

  it('reads every number as JSON.parse does, whatever its form and length', () => {
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,24})(\.\d{1,4})?([eE][+-]?\d{1,2})?$/);
    fc.assert(
      fc.property(digits, (text) => {
        expect(scanned(text).number(0)).toBe(JSON.parse(text));
      }),
    );
    expect(scanned('999999999999999').number(0)).toBe(999_999_999_999_999);
    expect(scanned('9007199254740993').number(0)).toBe(Number('9007199254740993'));
  });

  it('leaves earlier documents as they were, also after a large and a broken one', () => {
    const first = scanned('{"a":{"b":[1,2,{"c":"x"}]},"d":null}');
    const large = JSON.stringify({ list: Array.from({ length: 5_000 }, (_, item) => [item]) });
    const second = scanned(large);
    expect(scanJson(toBytes(large.slice(0, -2))).ok).toBe(false);
    expect(scanned('{"z":[0]}').raw(0)).toBe('{"z":[0]}');
    expect(first.raw(first.member(0, 'a'))).toBe('{"b":[1,2,{"c":"x"}]}');
    expect(first.nextChild(0, first.member(0, 'd'))).toBe(-1);
    expect(second.raw(0)).toBe(large);
    const list = second.member(0, 'list');
    let items = 0;
    for (let node = second.firstChild(list); node >= 0; node = second.nextChild(list, node)) {
      expect(second.number(second.firstChild(node))).toBe(items);
      items += 1;
    }
    expect(items).toBe(5_000);
  });

  it('agrees with JSON.parse on every member', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const index = scanned(JSON.stringify(value));
        for (const [key, member] of Object.entries(value)) {
          const node = index.member(0, key);
          expect(JSON.parse(index.raw(node))).toEqual(JSON.parse(JSON.stringify(member)));
        }
      }),
    );
  });
});

describe('editJson', () => {
  const keys = ['a', 'b', 'c', 'd', 'e'];
  const edit: fc.Arbitrary<JsonEdit> = fc.oneof(
    fc.record({
      op: fc.constant('set' as const),
      key: fc.constantFrom(...keys),
      json: fc.constant('[1]'),
    }),
    fc.record({ op: fc.constant('remove' as const), key: fc.constantFrom(...keys) }),
    fc.record({
      op: fc.constant('rename' as const),
      key: fc.constantFrom(...keys),
      to: fc.constant('r'),
    }),
  );

  function apply(value: Record<string, unknown>, edits: readonly JsonEdit[]): [string, unknown][] {
    const out: [string, unknown][] = [];
    for (const [key, member] of Object.entries(value)) {
      const change = edits.find((candidate) => candidate.key === key);
      if (change === undefined) out.push([key, member]);
      else if (change.op === 'set') out.push([key, [1]]);
      else if (change.op === 'rename') out.push([change.to, member]);
    }
    for (const change of edits) {
      if (change.op === 'set' && !Object.hasOwn(value, change.key)) out.push([change.key, [1]]);
    }
    return out;
  }

  it('gives what editing the parsed object gives, whatever is set, removed or renamed', () => {
    const members = fc
      .uniqueArray(fc.constantFrom(...keys))
      .map((names) =>
        Object.fromEntries(names.map((name, index) => [name, { index, text: '},{"a":1' }])),
      );
    const edits = fc.uniqueArray(edit, { selector: (candidate) => candidate.key });
    fc.assert(
      fc.property(members, edits, fc.constantFrom(0, 2), (value, changes, indent) => {
        const index = scanned(JSON.stringify(value, null, indent));
        const text = toText(editJson(index, changes));
        const result = scanJson(toBytes(text));
        const renames = changes.filter((change) => change.op === 'rename').length;
        expect(result.ok || renames > 1, text).toBe(true);
        expect(JSON.parse(text)).toEqual(Object.fromEntries(apply(value, changes)));
      }),
      { numRuns: 500 },
    );
  });
});
