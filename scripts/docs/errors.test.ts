/** The page of errors says what the program answers: it is made from the same table. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { ERROR_TABLE, GatewayError } from '#wire/errors.ts';
import { toOpenAiErrorBody } from '#wire/openai-error.ts';
import { ERROR_PAGE, LATER_CODES, renderErrorPage } from './errors.ts';

const SOURCE = fileURLToPath(new URL('../../src', import.meta.url));

it('docs/errors.md is what the table makes of it', () => {
  const remedy = 'run: node scripts/bootstrap.mjs scripts/docs/errors.ts';
  expect(readFileSync(ERROR_PAGE, 'utf8') === renderErrorPage(), remedy).toBe(true);
});

it('docs_url of every error ends in the anchor of a section', () => {
  const sections = [...renderErrorPage().matchAll(/^## (.+)$/gm)].map(([, code = '']) => code);
  const codes = Object.keys(ERROR_TABLE);
  expect(sections).toEqual(codes);
  const { docs_url: url } = toOpenAiErrorBody(new GatewayError('invalid_json'), 'req_x').error
    .metadata;
  expect(url).toBe('/docs/errors#invalid_json');
});

it('a code that is said to be for later stands nowhere else in the code', () => {
  const files = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter(
    (name) =>
      name.endsWith('.ts') && !name.endsWith('.test.ts') && name !== join('wire', 'errors.ts'),
  );
  const text = files.map((name) => readFileSync(join(SOURCE, name), 'utf8')).join('\n');
  expect(files.length).toBeGreaterThan(100);
  expect(LATER_CODES.filter((code) => text.includes(`'${code}'`))).toEqual([]);
});
