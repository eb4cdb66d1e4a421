/**
 * `omnix key mgmt|live|test`, in a checkout `npm run --silent key -- mgmt|live|test`: prints one
 * well-formed key, offline, for OMNIX_OWNER_KEY and automation.
 */
import { generateKey } from '#identity/api-key.ts';
import type { KeyKind } from '#identity/identity.ts';

const KINDS = new Map<string, KeyKind>([
  ['mgmt', 'management'],
  ['live', 'live'],
  ['test', 'test'],
]);
const EXIT_USAGE = 2;

const [name = '', ...rest] = process.argv.slice(2);
const kind = KINDS.get(name);

if (kind === undefined || rest.length > 0) {
  process.stderr.write(
    'usage: omnix key mgmt|live|test\nIn a checkout: npm run --silent key -- mgmt|live|test\n',
  );
  process.exitCode = EXIT_USAGE;
} else {
  process.stdout.write(`${generateKey(kind)}\n`);
}
