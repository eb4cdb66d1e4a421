/**
 * `npm run prepare:database`: what a start on Node does to its database, for deployments without
 * one (Workers). Brings the tables of DATABASE_URL up to date, makes the owner if there is none,
 * and prints his keys, once.
 */
import { fileURLToPath } from 'node:url';
import { nodeDigests } from '#base/digest.node.ts';
import { StartRefused } from '#base/start-refused.ts';
import { createIdentity } from '#identity/create-identity.ts';
import type { Owner } from '#identity/identity.ts';
import { migrate } from '#store/migrate.node.ts';
import { openPostgres } from '#store/postgres.node.ts';
import { prepareOwner } from '#compose-shared.ts';
import { readConfig, refuseArguments } from '#config.ts';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));

/** Safe to repeat. */
async function prepareDatabase(): Promise<Owner> {
  refuseArguments(process.argv.slice(2));
  const { databaseUrl, secret, ownerKey } = readConfig(process.env);
  if (databaseUrl === null || secret === null) {
    throw new StartRefused('Set DATABASE_URL and OMNIX_SECRET, both as the deployment has them.');
  }
  await migrate(databaseUrl, MIGRATIONS);
  const database = openPostgres({ at: databaseUrl, connectionsMax: 1 });
  try {
    const identity = createIdentity({ database, digests: nodeDigests, secret });
    return await prepareOwner(database, { identity, ownerKey });
  } finally {
    await database.close();
  }
}

function report({ created }: Owner): string {
  if (created === null) return 'The database is ready. Its owner has his keys.\n';
  const { managementKey, testKey } = created;
  return (
    'The database is ready. These keys are shown once. Keep them.\n\n' +
    `  Management key  ${managementKey}\n  Test-mode key   ${testKey}\n`
  );
}

try {
  process.stdout.write(report(await prepareDatabase()));
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  process.stderr.write(`The database could not be prepared.\n${reason}\n`);
  process.exitCode = 1;
}
