/**
 * `npm run build:package`, and `npm pack` by itself: bundles the server and its commands into
 * `dist/`, because Node strips no types under node_modules. Everything is bundled but Postgres,
 * whose binaries npm picks by platform; the licences of what is bundled stand beside it.
 */
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type RolldownOutput } from 'rolldown';
import { z } from 'zod';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
/** As deep as src: what the code finds beside itself and in the root is there for both. */
const DIST = join(ROOT, 'dist');
const COPIED = ['src/cli/launch.cjs', 'src/http/docs/api-reference.js.gz'] as const;
const LICENCES = 'THIRD-PARTY-LICENSES.txt';
const LICENCE_FILE = /^(licen[cs]e|notice|copying)(\.\w+)?$/i;
const KIB = 1024;

/**
 * Where the text of a licence is for packages that come without one; null for one that asks for
 * nothing.
 */
const TEXTS: Readonly<Record<string, string | null>> = {
  'Apache-2.0': 'node_modules/typescript/LICENSE',
  Unlicense: null,
};

const manifestSchema = z.object({ name: z.string(), version: z.string(), license: z.string() });

async function bundle(): Promise<RolldownOutput> {
  return build({
    cwd: ROOT,
    input: { omnix: 'src/cli/omnix.ts' },
    platform: 'node',
    onLog: (_level, log) => {
      throw new Error(log.message);
    },
    output: { dir: DIST, cleanDir: true, format: 'esm', chunkFileNames: '[name].js' },
  });
}

/** The folders that code was taken from, each with those above it, up to its package's root. */
function foldersOf({ output }: RolldownOutput): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  const files = output.flatMap((part) => (part.type === 'chunk' ? part.moduleIds : []));
  for (const file of files) {
    const root = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
    if (root === undefined) continue;
    const folders = found.get(root) ?? new Set();
    for (let at = dirname(file); at.length >= root.length; at = dirname(at)) folders.add(at);
    found.set(root, folders);
  }
  return found;
}

/** Throws where the licence is neither in the package nor known: then nobody may hand it on. */
function licenceOf(root: string, folders: ReadonlySet<string>): string {
  const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const { name, version, license } = manifestSchema.parse(manifest);
  const files = [...folders].toSorted().flatMap((folder) =>
    readdirSync(folder)
      .filter((file) => LICENCE_FILE.test(file))
      .map((file) => join(folder, file)),
  );
  if (!files.some((file) => dirname(file) === root)) {
    const known = TEXTS[license];
    if (known === undefined) throw new Error(`${name} has no licence file, only "${license}"`);
    if (known !== null) files.unshift(join(ROOT, known));
  }
  const texts = files.map((file) => readFileSync(file, 'utf8').trim());
  return [`${name} ${version}: ${license}`, ...texts].join('\n\n');
}

const output = await bundle();
for (const file of COPIED) copyFileSync(join(ROOT, file), join(DIST, file.split('/').at(-1) ?? ''));
const packages = [...foldersOf(output)].toSorted(([one], [other]) => (one < other ? -1 : 1));
const licences = packages.map(([root, folders]) => licenceOf(root, folders));
writeFileSync(join(DIST, LICENCES), `${licences.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`);

for (const part of output.output) {
  const bytes = part.type === 'chunk' ? part.code.length : part.source.length;
  console.log(`${(bytes / KIB).toFixed(1).padStart(10)} KiB  dist/${part.fileName}`);
}
console.log(`bundled: ${licences.map((text) => text.split('\n', 1).join('')).join(', ')}`);
