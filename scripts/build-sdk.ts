/**
 * `npm run build:sdk`, and `npm pack` in `sdk/typescript` by itself: builds what is published of
 * the SDK into its `dist`, one module and its types. Prints its size and fails when it is too
 * large, or when it would need anything else.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'rolldown';

const KIB = 1024;
const KIB_MAX = 25;
const PACKAGE = fileURLToPath(new URL('../sdk/typescript/', import.meta.url));
const DIST = join(PACKAGE, 'dist');
const TSC = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
const INTO_DIST = ['--rootDir', 'src', '--outDir', 'dist', '--noEmit', 'false'] as const;

async function bundle(): Promise<string> {
  const { output } = await build({
    cwd: PACKAGE,
    input: { index: 'src/index.ts' },
    platform: 'neutral',
    onLog: (_level, log) => {
      throw new Error(log.message);
    },
    output: { dir: DIST, cleanDir: true, format: 'esm' },
  });
  const [chunk, ...others] = output;
  if (others.length > 0) throw new Error('the SDK is to be one module');
  if (chunk.imports.length > 0) throw new Error(`the SDK imports ${chunk.imports.join(', ')}`);
  return chunk.code;
}

/** The types of each module, which import each other under the names of modules. */
function declareTypes(): void {
  const types = ['-p', 'tsconfig.json', ...INTO_DIST, '--declaration', '--emitDeclarationOnly'];
  const stdio = ['ignore', 'inherit', 'inherit'] as const;
  const { status } = spawnSync(process.execPath, [TSC, ...types], {
    cwd: PACKAGE,
    stdio: [...stdio],
  });
  if (status !== 0) throw new Error(`tsc ended with ${String(status)}`);
  for (const name of readdirSync(DIST, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.d.ts')) continue;
    const path = join(DIST, name);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.replaceAll(/(from\s+['"]\.{1,2}\/[^'"]+)\.ts(['"])/g, '$1.js$2'));
  }
}

const code = await bundle();
declareTypes();
const zipped = gzipSync(code, { level: 9 }).length;
const kib = (bytes: number): string => `${(bytes / KIB).toFixed(1)} KiB`;
console.log(`SDK: ${kib(code.length)}, ${kib(zipped)} gzipped (at most ${KIB_MAX} KiB)`);
if (zipped > KIB_MAX * KIB) {
  console.error(`SDK: it is larger than ${KIB_MAX} KiB`);
  process.exitCode = 1;
}
