/**
 * The parts of the composition that are the same on every runtime: the directory of models, the
 * credit desk, the reads of the ledger, and the owner's first credit.
 */
import { systemClock } from '#base/clock.ts';
import { newId } from '#base/ids.ts';
import { parseUsd, type NanoUsd } from '#base/money.ts';
import { ok } from '#base/result.ts';
import { buildCatalog } from '#catalog/catalog.ts';
import { buildDirectory, type ConfiguredModel } from '#gateway/directory.ts';
import type { Directory } from '#gateway/endpoint.ts';
import type { ConfiguredProvider } from '#gateway/make-endpoints.ts';
import { showReceipt } from '#gateway/receipt-reading.ts';
import type { CreditDesk, LedgerReads } from '#http/api/ports.ts';
import type { Identity, Owner } from '#identity/identity.ts';
import type { Database } from '#store/database.ts';
import { grantCredit } from '#store/ledger-grants.ts';
import type { ParsedFile } from './config-file.ts';
import { ConfigRefused } from './config-places.ts';

/** What the directory is made of. */
export interface DirectoryConfig {
  readonly providers: readonly ConfiguredProvider[];
  readonly models: readonly ConfiguredModel[];
  /** Null: there is no config file. */
  readonly configPath: string | null;
  readonly lineOf: ParsedFile['lineOf'];
}

/**
 * What the sandbox may use up before it needs more: enough to test for a lifetime, and to run out
 * on purpose.
 */
const SANDBOX_CREDIT_USD = '1000';

/** Joins catalog and config; refuses the start where they do not fit. */
export function composeDirectory(config: DirectoryConfig): Directory {
  const catalog = buildCatalog();
  if (!catalog.ok) {
    const faults = catalog.error.map(({ subject, message }) => `  ${subject}: ${message}`);
    throw new ConfigRefused(`The built-in catalog is broken:\n${faults.join('\n')}`);
  }
  const { providers, models } = config;
  const { directory, faults } = buildDirectory({ catalog: catalog.value, providers, models });
  if (faults.length === 0) return directory;
  const lines = faults.map(({ path, message }) => {
    const line = config.lineOf(stepsOf(path));
    const place = line === null ? '' : `:${line}`;
    return `  ${config.configPath ?? 'config'}${place}  ${path}: ${message}`;
  });
  throw new ConfigRefused(`The configuration cannot be served:\n${lines.join('\n')}`);
}

/** `models.a.b.endpoints[0].price`: ids hold dots, so the known ends are taken off first. */
function stepsOf(path: string): readonly (string | number)[] {
  const match = /^models\.(.+?)\.(endpoints|alias)(?:\[(\d+)\])?(?:\.(.+))?$/.exec(path);
  if (match === null) return [path];
  const [, id = '', list = '', index, rest] = match;
  const steps: (string | number)[] = ['models', id, list];
  if (index !== undefined) steps.push(Number(index));
  if (rest !== undefined) steps.push(...rest.split('.'));
  return steps;
}

export function composeCredit(
  database: Database,
  budgetChanged: CreditDesk['limitChanged'],
): CreditDesk {
  return {
    async grant({ organizationId, book, amount, reason, grantedBy }) {
      const id = newId('grant_');
      await grantCredit(database, {
        id,
        organizationId,
        book,
        amount,
        reason,
        fundedBy: 'promo',
        source: `grant:${grantedBy}`,
        sourceId: id,
      });
      return { id, createdAtMs: systemClock.nowMs() };
    },
    limitChanged: budgetChanged,
  };
}

/** The ledger keeps receipts unread; the gateway, which wrote them, spells them out. */
export function composeReads(ledger: LedgerReads): LedgerReads {
  return {
    creditSummary: (organizationId, book) => ledger.creditSummary(organizationId, book),
    keyUsage: (keyId) => ledger.keyUsage(keyId),
    async readReceipt(organizationId, requestId) {
      const read = await ledger.readReceipt(organizationId, requestId);
      if (!read.ok || read.value === null || read.value.kind === 'swept') return read;
      return ok({ ...read.value, detail: showReceipt(read.value.detail) });
    },
  };
}

function sandboxCredit(): NanoUsd {
  const amount = parseUsd(SANDBOX_CREDIT_USD);
  if (!amount.ok) throw new Error(amount.error);
  return amount.value;
}

/** The organization, its keys, and what it may use up in the sandbox. */
export async function prepareOwner(
  database: Database,
  { identity, ownerKey }: { readonly identity: Identity; readonly ownerKey: string | null },
): Promise<Owner> {
  const owner = await identity.ensureOwner(ownerKey === null ? {} : { ownerKey });
  const { organizationId } = owner;
  await grantCredit(database, {
    id: newId('grant_'),
    organizationId,
    book: 'test',
    amount: sandboxCredit(),
    reason: 'credit of the sandbox',
    fundedBy: 'promo',
    source: 'sandbox_credit',
    sourceId: organizationId,
  });
  return owner;
}
