/** Decoders: they return what they name, and otherwise name the column and never the value. */
import { describe, expect, it } from 'vitest';

import {
  bigintOf,
  booleanOf,
  bytesOf,
  jsonOf,
  msOf,
  nullableMsOf,
  nullableTextOf,
  numberOf,
  oneOf,
  onlyRow,
  RowMalformed,
  textOf,
} from './decode.ts';

const ROW = {
  text: 'secret value',
  yes: true,
  number: 3,
  big: '9223372036854775807',
  time: '2026-11-20T21:55:40.798Z',
  nothing: null,
  json: { a: 1 },
  bytes: new Uint8Array([1]),
  half: 0.5,
};

describe('decoders work', () => {
  it('for the type that they name', () => {
    expect(textOf(ROW, 'text')).toBe('secret value');
    expect(booleanOf(ROW, 'yes')).toBe(true);
    expect(numberOf(ROW, 'half')).toBe(0.5);
    expect(bigintOf(ROW, 'big')).toBe(2n ** 63n - 1n);
    expect(bigintOf(ROW, 'number')).toBe(3n);
    expect(msOf(ROW, 'time')).toBe(Date.UTC(2026, 10, 20, 21, 55, 40, 798));
    expect(nullableMsOf(ROW, 'nothing')).toBeNull();
    expect(nullableTextOf(ROW, 'text')).toBe('secret value');
    expect(jsonOf(ROW, 'json')).toEqual({ a: 1 });
    expect(bytesOf(ROW, 'bytes')).toEqual(new Uint8Array([1]));
    expect(oneOf(ROW, 'text', ['other', 'secret value'])).toBe('secret value');
    expect(onlyRow([ROW])).toBe(ROW);
  });
});

describe('decoders refuse', () => {
  it.each([
    [() => textOf(ROW, 'number'), 'column "number": expected text, found number'],
    [() => textOf(ROW, 'nothing'), 'column "nothing": expected text, found null'],
    [() => textOf(ROW, 'gone'), 'column "gone": expected text, found no such column'],
    [() => nullableTextOf(ROW, 'gone'), 'found no such column'],
    [() => bigintOf(ROW, 'half'), 'column "half": expected a whole number'],
    [() => bigintOf(ROW, 'text'), 'column "text": expected a whole number, found string'],
    [() => msOf(ROW, 'text'), 'expected a timestamp'],
    [() => oneOf(ROW, 'text', ['a', 'b']), 'expected one of a, b'],
    [() => jsonOf(ROW, 'gone'), 'no such column'],
    [() => onlyRow([]), 'exactly one row, found 0'],
    [() => onlyRow([ROW, ROW]), 'exactly one row, found 2'],
  ])('another form, by column and without its value (%#)', (decode, message) => {
    expect(decode).toThrow(RowMalformed);
    expect(decode).toThrow(message);
    expect(decode).not.toThrow('secret value');
  });
});
