/**
 * Writes src/http/docs/api-reference.js.gz: the script that draws /docs. It is one file of a
 * package whose other 272 packages and 287 MB a gateway does not need, so the file is kept and not
 * the dependency (docs/decisions/0016). `node scripts/bootstrap.mjs scripts/docs/api-reference.ts`
 * fetches the pinned version from the registry again, checks it against its integrity, and gives
 * the same bytes.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { SCALAR_VERSION } from '#http/docs/reference-page.ts';

const INTEGRITY =
  'sha512-XpEJ0rfc/cXbCrR+iC4kK0o/WwX2dTtGQbT049OlPKAHD6IMIFdTeGz2r+M27P2EDWKyUITRm/NzlP8z2pw/Ow==';
const SCRIPT = 'package/dist/browser/standalone.js';
const TARGET = fileURLToPath(new URL('../../src/http/docs/api-reference.js.gz', import.meta.url));

/** The package's licence asks to stand in every copy. */
const NOTICE = `/*!
@scalar/api-reference ${SCALAR_VERSION}, https://github.com/scalar/scalar

MIT License. Copyright (c) 2023-present Scalar

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and
associated documentation files (the "Software"), to deal in the Software without restriction,
including without limitation the rights to use, copy, modify, merge, publish, distribute,
sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial
portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT
NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES
OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
*/
`;

function run(command: string, given: readonly string[], directory: string): string {
  return execFileSync(command, given, { cwd: directory, encoding: 'utf8' });
}

/** Downloads the package and returns its script. Throws when it is not the pinned one. */
function fetchScript(directory: string): string {
  const spec = `@scalar/api-reference@${SCALAR_VERSION}`;
  const packed = run('npm', ['pack', spec, '--json', '--ignore-scripts'], directory);
  if (!packed.includes(INTEGRITY)) throw new Error(`${spec} is not ${INTEGRITY}`);
  run('tar', ['-xzf', `scalar-api-reference-${SCALAR_VERSION}.tgz`, SCRIPT], directory);
  return readFileSync(join(directory, SCRIPT), 'utf8');
}

const directory = mkdtempSync(join(tmpdir(), 'omnix-reference-'));
try {
  // The map would be asked for by every browser with open tools, and is four times the script.
  const script = fetchScript(directory).replace(/\n\/\/# sourceMappingURL=\S+\s*$/, '\n');
  const zipped = gzipSync(NOTICE + script, { level: 9 });
  writeFileSync(TARGET, zipped);
  process.stdout.write(`${TARGET}: ${zipped.length} bytes\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
