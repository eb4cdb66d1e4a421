/** Ids of calls as Converse takes them, whatever the host was that made them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callIds } from './call-ids.ts';

describe('ids of calls', () => {
  it('fit, stay the same for the same, and never become the same for two', () => {
    const id = fc.oneof(
      fc.string({ maxLength: 80 }),
      fc.stringMatching(/^[a-c._:-]{0,3}$/),
      fc.stringMatching(/^a{60,70}[bc]$/),
    );
    fc.assert(
      fc.property(fc.array(id, { maxLength: 30 }), (ids) => {
        const fitted = callIds(false);
        const made = new Map(ids.map((said) => [said, fitted.of(said)]));
        expect(new Set(made.values()).size).toBe(made.size);
        for (const [said, one] of made) {
          expect(one).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
          expect(fitted.of(said)).toBe(one);
        }
      }),
    );
  });

  it('that fit are left alone', () => {
    expect(callIds(false).of('tooluse_Ab-9')).toBe('tooluse_Ab-9');
    expect(callIds(true).of('functions.look:0')).toBe('functions.look:0');
  });
});
