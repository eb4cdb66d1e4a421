/** Suggestions help people who mistype and cost nothing when somebody sends rubbish. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestNames } from './nearest.ts';

const NAMES = ['gpt-4o', 'gpt-4o-mini', 'gpt-5.4', 'claude-haiku-4-5', 'llama-3.3-70b', 'o3'];

describe('the nearest names', () => {
  it('forgive slips, order, case, punctuation and the lab', () => {
    expect(nearestNames('GPT 4o', NAMES, 1)).toEqual(['gpt-4o']);
    expect(nearestNames('anthropic/claude-haiku-4.5', NAMES, 1)).toEqual(['claude-haiku-4-5']);
    expect(nearestNames('lama-3.3-70b', NAMES, 1)).toEqual(['llama-3.3-70b']);
    expect(nearestNames('gpt-4o-mni', NAMES, 2)).toEqual(['gpt-4o-mini', 'gpt-4o']);
  });

  it('complete a beginning', () => {
    expect(nearestNames('claude', NAMES, 3)).toEqual(['claude-haiku-4-5']);
    expect(nearestNames('llama-3.3-70b-versatile', NAMES, 1)).toEqual(['llama-3.3-70b']);
  });

  it('are none when nothing resembles the name', () => {
    expect(nearestNames('stable-diffusion', NAMES, 3)).toEqual([]);
    expect(nearestNames('', NAMES, 3)).toEqual([]);
    expect(nearestNames('//--', NAMES, 3)).toEqual([]);
  });

  it('are at most as many as asked for, always in the same order', () => {
    const found = nearestNames('gpt', NAMES, 2);
    expect(found).toEqual(['gpt-4o', 'gpt-5.4']);
    expect(nearestNames('gpt', NAMES.toReversed(), 2)).toEqual(found);
  });

  it('hold the long name that two slips of the fingers spoil', () => {
    const slip = fc.tuple(fc.nat(), fc.constantFrom('drop', 'double', 'miss'));
    fc.assert(
      fc.property(
        fc.constantFrom(...NAMES.filter((name) => name.length > 9)),
        slip,
        slip,
        (name, first, second) => {
          const meant = nearestNames(mistype(mistype(name, first), second), NAMES, NAMES.length);
          expect(meant).toContain(name);
        },
      ),
    );
  });

  it('are not looked for when what is asked is far longer than any name', () => {
    const many = Array.from({ length: 1000 }, (_, at) => `model-${at}-${'x'.repeat(80)}`);
    // Compared letter by letter, these would take longer than the test may.
    expect(nearestNames('model-'.repeat(2_000_000), many, 3)).toEqual([]);
    expect(nearestNames(`model-77-${'x'.repeat(79)}y`, many, 3)).toContain(many[77]);
  });
});

/** One slip: a letter lost, struck twice, or replaced by "x". */
function mistype(name: string, [where, kind]: readonly [number, string]): string {
  const at = where % name.length;
  const letter = name.charAt(at);
  const struck = { drop: '', double: letter + letter }[kind] ?? 'x';
  return name.slice(0, at) + struck + name.slice(at + 1);
}
