/**
 * `npm run bundle:worker`: builds what a deployment would upload, prints its size and what it is
 * made of, and fails when it is too large or reaches for something that Workers do not have.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';

/** speed.md: minified and gzipped. */
const KIB_MAX = 400;
const KIB = 1024;
/** What postgres.js (`cf/`) and jose ask of Node, all of which Workers have. */
const NODE_MODULES: ReadonlySet<string> = new Set(['node:buffer', 'node:events', 'node:stream']);
const ROWS_MAX = 16;

const metaSchema = z.object({
  outputs: z.record(
    z.string(),
    z.object({
      entryPoint: z.string().optional(),
      inputs: z.record(z.string(), z.object({ bytesInOutput: z.number() })),
      imports: z.array(z.object({ path: z.string() })),
    }),
  ),
});

/** `zod`, `@hono/zod-openapi`, `src/providers`. */
function partOf(path: string): string {
  const inPackage = path.split('node_modules/').at(-1) ?? path;
  if (inPackage !== path) return inPackage.split('/', inPackage.startsWith('@') ? 2 : 1).join('/');
  return path.split('/', 2).join('/');
}

function build(directory: string): { readonly code: Buffer; readonly meta: unknown } {
  const wrangler = fileURLToPath(
    new URL('../node_modules/wrangler/bin/wrangler.js', import.meta.url),
  );
  const metafile = join(directory, 'meta.json');
  const { status } = spawnSync(
    process.execPath,
    [wrangler, 'deploy', '--dry-run', '--outdir', directory, '--metafile', metafile],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  if (status !== 0) throw new Error(`wrangler ended with ${String(status)}`);
  const meta: unknown = JSON.parse(readFileSync(metafile, 'utf8'));
  return { code: readFileSync(join(directory, 'worker.js')), meta };
}

function sumByPart(
  inputs: Readonly<Record<string, { bytesInOutput: number }>>,
): [string, number][] {
  const sums = new Map<string, number>();
  for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
    const part = partOf(path);
    sums.set(part, (sums.get(part) ?? 0) + bytesInOutput);
  }
  return [...sums].toSorted(([, one], [, other]) => other - one);
}

const kib = (bytes: number): string => `${(bytes / KIB).toFixed(1)} KiB`;

const directory = mkdtempSync(join(tmpdir(), 'omnix-worker-'));
try {
  const { code, meta } = build(directory);
  const outputs = Object.values(metaSchema.parse(meta).outputs);
  const output = outputs.find(({ entryPoint }) => entryPoint !== undefined);
  if (output === undefined) throw new Error('the bundle has no entry');
  for (const [part, bytes] of sumByPart(output.inputs).slice(0, ROWS_MAX)) {
    console.log(`${kib(bytes).padStart(12)}  ${part}`);
  }
  const zipped = gzipSync(code, { level: 9 }).length;
  console.log(
    `Worker bundle: ${kib(code.length)} minified, ${kib(zipped)} gzipped (at most ${KIB_MAX} KiB)`,
  );
  const faults: string[] = [];
  if (zipped > KIB_MAX * KIB) faults.push(`it is larger than ${KIB_MAX} KiB`);
  if (code.includes('createRequire')) faults.push('it holds createRequire');
  for (const path of new Set(output.imports.map((imported) => imported.path))) {
    const known = path.startsWith('cloudflare:') || NODE_MODULES.has(path);
    if (!known) faults.push(`it imports ${path}`);
  }
  for (const fault of faults) console.error(`Worker bundle: ${fault}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
