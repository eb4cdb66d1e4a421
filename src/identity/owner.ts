/** The first start: the owner's organization, and the keys that let its owner in. */
import { newId } from '#base/ids.ts';
import { StartRefused } from '#base/start-refused.ts';
import type { Database } from '#store/database.ts';
import type { NewKey } from '#store/key-store.ts';
import { confirmSecret, ensureOwnerKey, findOwner, insertOwner } from '#store/owner-store.ts';

import { generateKey, labelOf, parseKey } from './api-key.ts';
import type { KeyKind, Owner } from './identity.ts';

type Digest = (secret: string) => Promise<string>;

const ORGANIZATION_NAME = 'Default organization';
const OWNER_KEY_NAME = 'Owner';
const TEST_KEY_NAME = 'Test mode';

async function newKey(
  digest: Digest,
  secret: string,
  about: { readonly kind: KeyKind; readonly name: string },
): Promise<NewKey> {
  return { id: newId('key_'), ...about, label: labelOf(secret), digest: await digest(secret) };
}

/** See `Identity.ensureOwner`. `digest` is the keyed hash under which keys are stored. */
export async function ensureOwner(
  database: Database,
  digest: Digest,
  ownerKey: string | undefined,
): Promise<Owner> {
  if (ownerKey !== undefined) requireManagementKey(ownerKey);
  await requireSecret(database, digest);
  const managementKey = ownerKey ?? generateKey('management');
  const testKey = generateKey('test');
  const management = await newKey(digest, managementKey, {
    kind: 'management',
    name: OWNER_KEY_NAME,
  });
  const existing = await findOwner(database);
  if (existing === null) {
    const organization = { id: newId('org_'), name: ORGANIZATION_NAME };
    const test = await newKey(digest, testKey, { kind: 'test', name: TEST_KEY_NAME });
    if (await insertOwner(database, organization, [management, test])) {
      return {
        organizationId: organization.id,
        created: { managementKey, testKey },
        ownerKeyRevoked: false,
      };
    }
  }
  const usable = ownerKey === undefined || (await ensureOwnerKey(database, management));
  const organizationId = existing ?? (await findOwner(database));
  if (organizationId === null) throw new Error('the organization "default" vanished at the start');
  return { organizationId, created: null, ownerKeyRevoked: !usable };
}

/** No key, and the same for all installations; its keyed hash tells their secrets apart. */
const CHECKED_TEXT = 'omnix secret check 1';

/** With another secret every key would be unknown, and all callers would be told so. */
async function requireSecret(database: Database, digest: Digest): Promise<void> {
  if (await confirmSecret(database, await digest(CHECKED_TEXT))) return;
  throw new StartRefused(
    'The secret is not the one with which this database was set up: no API key in it would be ' +
      "recognised. Restore the file 'secret' of the data directory, or set OMNIX_SECRET to what " +
      'it was. (To give all keys up, delete the row of the table "installation".)',
  );
}

function requireManagementKey(ownerKey: string): void {
  const parsed = parseKey(ownerKey);
  if (!parsed.ok) throw new Error(`OMNIX_OWNER_KEY is not a key of OmniX: ${parsed.error}`);
  if (parsed.value !== 'management') {
    throw new Error('OMNIX_OWNER_KEY must be a management key (sk-omx-mgmt-...)');
  }
}
