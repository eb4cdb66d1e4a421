/** The zod of the Worker's bundle is zod, whatever version is installed. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import * as zod from 'zod';
import * as slim from './worker-zod.mjs';

/** `core` is the way to `locales`. */
const MISSING = [
  'ZodCompileAsyncError',
  'ZodCompileUnsupportedError',
  'compile',
  'core',
  'deepPartial',
  'fromJSONSchema',
  'locales',
  'withParser',
];

it('lacks what it says and nothing else, and speaks English', () => {
  const missing = (from: object, names: object): readonly string[] =>
    Object.keys(names).filter((name) => !(name in from));
  for (const [real, other] of [
    [zod, slim],
    [zod.z, slim.z],
  ] as const) {
    expect(missing(other, real).toSorted()).toEqual(MISSING);
    expect(missing(real, other)).toEqual([]);
  }
  const words = slim.z.string().safeParse(1).error?.issues[0]?.message;
  expect(words).toBe(zod.z.string().safeParse(1).error?.issues[0]?.message);
});

it('what it lacks is used nowhere', () => {
  const source = fileURLToPath(new URL('../src', import.meta.url));
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  const used = new RegExp(`\\bz\\.(?:${MISSING.filter((name) => name !== 'core').join('|')})\\b`);
  const users = files.filter(
    (file) => file.endsWith('.ts') && used.test(readFileSync(`${source}/${file}`, 'utf8')),
  );
  expect(users).toEqual([]);
});
