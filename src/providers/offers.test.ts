/** The table of offers reads as it was written, and what is no offer is refused. */
import { describe, expect, it } from 'vitest';
import { readOffers } from './offers.ts';

describe('a table of offers', () => {
  it('has price, tiers, batch, limits, regions and end of each', () => {
    const table = `
@ 2026-01-02 https://host.example/prices (a set)
m input=1 output=2
n as=org/n context=10 max_output=5 until=2027-01-01 regions=eu-,us- input=1 cache_read=0.1 output=2 batch input=0.5 >200000 input=3 output=4
@ 2026-03-04 another
o second=0.001
`;
    const origin = {
      source: 'https://host.example/prices (a set)',
      effectiveFrom: '2026-01-02',
    };
    expect(readOffers(table)).toEqual([
      { model: 'm', price: { list: { input: '1', output: '2' }, tiers: [], ...origin } },
      {
        model: 'n',
        upstreamModel: 'org/n',
        context: 10,
        maxOutput: 5,
        shutdown: '2027-01-01',
        regions: ['eu-', 'us-'],
        price: {
          list: { input: '1', cache_read: '0.1', output: '2' },
          batch: { input: '0.5' },
          tiers: [{ aboveInputTokens: 200_000, input: '3', output: '4' }],
          ...origin,
        },
      },
      {
        model: 'o',
        price: {
          list: { second: '0.001' },
          tiers: [],
          source: 'another',
          effectiveFrom: '2026-03-04',
        },
      },
    ]);
  });

  it.each(['m input=1', '@ 2026-01-02 s\nm input', '@ 2026-01-02 s\nm colour=red'])(
    'refuses %j',
    (table) => {
      expect(() => readOffers(table)).toThrow(Error);
    },
  );
});
