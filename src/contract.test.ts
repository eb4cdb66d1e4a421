/**
 * The contract, line by line: each statement of contract.md is in the list, and each that holds now
 * is named by a test. Where the contract is not at hand, only the second half is shown.
 */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { at } from '#testing/recordings-json.ts';
import { SECTIONS, STATEMENTS, type Section } from '#testing/contract-statements.ts';

const ROOT = join(import.meta.dirname, '..');
const SHARED = process.env['OMNIX_SHARED'] ?? join(ROOT, '../shared');
const CONTRACT = join(SHARED, 'contract.md');
const TEST_FILES = ['src/**/*.{test,slow,workerd}.ts', 'scripts/**/*.test.ts', 'sdk/tests/**/*.ts'];
/** Title, head and rule of the table, fences, and names of the YAML with nothing beside them. */
const NO_STATEMENT = /^(# .*|\| variable \|.*|\|[-|]+\||```\w*|\s*\w+:)$/;
/** `(contract: Answers, usage; cost; Keys and callers, hash)` */
const MENTION = /\(contract: ([^()]+)\)/g;
const SECTION_FIRST = new RegExp(`^(${SECTIONS.join('|')}), (.*)$`);

const nameOf = (section: string, name: string): string => `${section}, ${name}`;
const names = STATEMENTS.map(({ section, name }) => nameOf(section, name));

/** The lines that say something, by section. */
function linesOf(text: string): ReadonlyMap<Section, readonly string[]> {
  const lines = new Map<Section, string[]>(SECTIONS.map((section) => [section, []]));
  let section: string = 'Names';
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) section = line.slice(3);
    else if (line.trim() !== '' && !NO_STATEMENT.test(line)) {
      const known = SECTIONS.find((one) => one === section);
      if (known !== undefined) lines.get(known)?.push(line);
    }
    if (section === 'Errors') break;
  }
  return lines;
}

/** The names in one mention: a section holds for those that follow it. */
function namesIn(mention: string): readonly string[] {
  let section = '';
  return mention.split('; ').map((part) => {
    const [, first = section, name = part] = SECTION_FIRST.exec(part) ?? [];
    section = first;
    return nameOf(section, name);
  });
}

/** Every mention in a title, with the file that it is in. Comments prove nothing. */
function mentions(): readonly { readonly name: string; readonly file: string }[] {
  return globSync([...TEST_FILES], { cwd: ROOT }).flatMap((file) =>
    readFileSync(join(ROOT, file), 'utf8')
      .split('\n')
      .filter((line) => !/^\s*(\/\/|\/?\*)/.test(line))
      .flatMap((line) =>
        [...line.matchAll(MENTION)].flatMap(([, mention = '']) => namesIn(mention)),
      )
      .map((name) => ({ name, file })),
  );
}

describe('the list of statements', () => {
  it('has no name twice', () => {
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  it('has the names of the packages right (contract: Names, packages)', () => {
    const nameIn = (path: string): unknown =>
      at(JSON.parse(readFileSync(join(ROOT, path), 'utf8')), 'name');
    expect(nameIn('package.json')).toBe('omnix');
    expect(nameIn('sdk/typescript/package.json')).toBe('@omnix/sdk');
  });
});

if (!existsSync(CONTRACT)) process.stdout.write(`contract.md: ABSENT. There is no ${CONTRACT}.\n`);

describe.runIf(existsSync(CONTRACT))('contract.md', () => {
  const lines = linesOf(existsSync(CONTRACT) ? readFileSync(CONTRACT, 'utf8') : '');

  it('has every section', () => {
    expect(SECTIONS.filter((section) => (lines.get(section) ?? []).length === 0)).toEqual([]);
  });

  it('says nothing that is not in the list', () => {
    const unlisted = [...lines].flatMap(([section, said]) => {
      const listed = STATEMENTS.filter((statement) => statement.section === section);
      return said.filter((line) => !listed.some(({ words }) => line.includes(words)));
    });
    expect(unlisted).toEqual([]);
  });

  it('still says all that is in the list', () => {
    const gone = STATEMENTS.filter(
      ({ section, words }) => lines.get(section)?.some((line) => line.includes(words)) !== true,
    );
    expect(gone.map(({ section, name }) => nameOf(section, name))).toEqual([]);
  });
});

describe('the tests', () => {
  const found = mentions();

  it('prove each statement that holds now, and that later ones are refused until then', () => {
    const named = new Set(found.map(({ name }) => name));
    const due = STATEMENTS.filter(({ state, refused }) => state === 'now' || refused);
    const unproven = due.map(({ section, name }) => nameOf(section, name));
    expect(unproven.filter((name) => !named.has(name))).toEqual([]);
  });

  it('name no statement that is not in the list', () => {
    const known = new Set(names);
    expect(found.filter(({ name }) => !known.has(name))).toEqual([]);
  });
});
