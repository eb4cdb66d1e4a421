/** What `models check` finds: models without price, offers past their end, disputed prices. */
import { describe, expect, it } from 'vitest';
import type { Offer } from '#providers/offers.ts';
import { buildCatalog, type Catalog } from './catalog.ts';
import { checkCatalog } from './check.ts';
import { readDisputes } from './disputes.ts';
import { readModels, readRetired } from './read-models.ts';
import { isServedIn } from './regions.ts';

const TABLE = `
# lab
old|Old|2024-01-02|8192/-|text image>text|tools sampling|org/old|until=2026-12-11 then=new
new|New|-|-/1024|text>text|||
`;

const offer: Offer = {
  model: 'old',
  price: { list: { input: '1', output: '2' }, tiers: [], source: 's', effectiveFrom: '2026-01-01' },
  shutdown: '2026-12-11',
};

function build(offers: readonly Offer[]): Catalog {
  const retired = readRetired('\ngone 2025-01-01 new\nlost 2025-01-01\n');
  const built = buildCatalog({ models: readModels(TABLE), retired, offers: { host: offers } });
  if (!built.ok) throw new Error(JSON.stringify(built.error));
  return built.value;
}

describe('the check', () => {
  it('finds nothing wrong where nothing is', () => {
    const catalog = build([offer, { ...offer, model: 'new', shutdown: '2027-01-01' }]);
    expect(checkCatalog(catalog, [], Date.parse('2026-12-10'))).toEqual([]);
  });

  it('names a model that nobody prices, an offer past its end, and a disputed price', () => {
    const disputes = readDisputes('\nhost/old|a 1/2, b 3/4|a\n');
    const found = checkCatalog(build([offer]), disputes, Date.parse('2026-12-11'));
    expect(found).toEqual([
      { kind: 'no_price', subject: 'new', message: 'no host offers it at a known price' },
      {
        kind: 'past_shutdown',
        subject: 'host/old',
        message: "The model 'old' was shut down on 2026-12-11. Use 'new' instead.",
      },
      { kind: 'disputed', subject: 'host/old', message: 'a 1/2, b 3/4; taken: a' },
    ]);
  });
});

describe('the table of facts', () => {
  it('reads as it was written', () => {
    expect(readModels(TABLE)).toEqual([
      {
        id: 'old',
        lab: 'lab',
        name: 'Old',
        created: 1_704_153_600,
        context: 8192,
        maxOutput: null,
        input: ['text', 'image'],
        output: ['text'],
        capabilities: ['tools', 'sampling'],
        shutdown: '2026-12-11',
        successor: 'new',
        aliases: ['org/old'],
      },
      {
        id: 'new',
        lab: 'lab',
        name: 'New',
        created: 0,
        context: null,
        maxOutput: 1024,
        input: ['text'],
        output: ['text'],
        capabilities: [],
        aliases: [],
      },
    ]);
  });

  it.each([
    'm|M|-|-/-|text>text|||',
    '# lab\nm|M|-|-/-|text>text||',
    '# lab\nm|M|-|-/-|text>smell|||',
    '# lab\nm|M|-|-/-|text>text|flies||',
    '# lab\nm|M|-|-/-|text>text|||soon',
  ])('refuses %j', (table) => {
    expect(() => readModels(table)).toThrow(Error);
  });
});

describe('retired models', () => {
  it('are found by id and by lab, and lead to what takes their place', () => {
    const catalog = build([offer]);
    expect(catalog.retired('gone')).toEqual({
      id: 'gone',
      shutdown: '2025-01-01',
      successor: 'new',
    });
    expect(catalog.retired('lab/LOST')?.successor).toBeNull();
    expect(catalog.retired('old')).toBeUndefined();
  });

  it('are refused where they are offered, or where the successor is unknown', () => {
    const models = readModels(TABLE);
    const faults = (table: string): readonly string[] => {
      const built = buildCatalog({ models, retired: readRetired(table), offers: {} });
      return built.ok ? [] : built.error.map(({ message }) => message);
    };
    expect(faults('new 2025-01-01')).toEqual(['is retired and offered']);
    expect(faults('gone 2025-01-01 nope')).toEqual(['there is no model nope to take its place']);
    expect(faults('gone soon')).toEqual(['the shutdown date is not an ISO date']);
  });
});

describe('regions', () => {
  it('of an offer are those whose names begin so; without any it is served everywhere', () => {
    expect(isServedIn({}, null)).toBe(true);
    expect(isServedIn({ regions: ['eu-'] }, 'eu-west-1')).toBe(true);
    expect(isServedIn({ regions: ['eu-'] }, 'us-east-1')).toBe(false);
    expect(isServedIn({ regions: ['eu-'] }, null)).toBe(false);
    expect(isServedIn({ regions: ['us-', 'default'] }, null)).toBe(true);
  });
});
