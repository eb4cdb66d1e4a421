/**
 * `omnix models check`, in a checkout `npm run --silent models -- check`: what is wrong with the
 * catalog that ships, one finding a line, offline. Exit code 1 if there is any.
 */
import { buildCatalog } from '#catalog/catalog.ts';
import { checkCatalog } from '#catalog/check.ts';
import { disputes } from '#catalog/data/disputes.ts';

const EXIT_FOUND = 1;
const EXIT_USAGE = 2;

function check(): void {
  const catalog = buildCatalog();
  if (!catalog.ok) {
    for (const { subject, message } of catalog.error)
      console.error(`broken ${subject}: ${message}`);
    process.exitCode = EXIT_FOUND;
    return;
  }
  const models = catalog.value.all();
  const offers = models.flatMap((model) => model.offers);
  const providers = new Set(offers.map(({ providerId }) => providerId));
  const findings = checkCatalog(catalog.value, disputes, Date.now());
  for (const { kind, subject, message } of findings) console.log(`${kind} ${subject}: ${message}`);
  console.log(
    `${models.length} models, ${offers.length} offers of ${providers.size} providers, ` +
      `${findings.length} findings`,
  );
  if (findings.length > 0) process.exitCode = EXIT_FOUND;
}

const [command, ...rest] = process.argv.slice(2);
if (command === 'check' && rest.length === 0) check();
else {
  console.error('usage: omnix models check\nIn a checkout: npm run --silent models -- check');
  process.exitCode = EXIT_USAGE;
}
