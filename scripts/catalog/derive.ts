/**
 * Makes the catalog's data: `node scripts/catalog/derive.ts` reads the data sets in `$OMNIX_SHARED`
 * and writes `src/catalog/data/` and `src/providers/<id>/offers.ts`, and prints what was left out,
 * where the data sets disagree, and which hosts serve what, to be read by a person before a commit.
 */
import { resolve } from 'node:path';
import type { Dispute } from '#catalog/disputes.ts';
import type { RetiredModel } from '#catalog/models.ts';
import type { Offer } from '#providers/offers.ts';
import { TODAY } from './decisions.ts';
import { writeBuiltIn, writeDisputes, writeModels, writeOffers, writeRetired } from './emit.ts';
import { labShutdown, shutdownOf, successorOf } from './ends.ts';
import { deriveFacts, type Served } from './facts.ts';
import type { Host } from './host.ts';
import { HOSTS, NOT_CHAT } from './hosts.ts';
import { labOf, publicIdOf } from './names.ts';
import { choosePrice, mediaPrice, type Verdict } from './prices.ts';
import { mediaModeOf, NO_MEDIA } from './media.ts';
import { readSources } from './sources.ts';

const root = resolve(import.meta.dirname, '../..');
const sources = readSources(process.env['OMNIX_SHARED'] ?? resolve(root, '../shared'));
const report: string[] = [];
const disputes: Dispute[] = [];
/** How many prices were found how. */
const verdicts = new Map<Verdict, number>();
const retired = new Map<string, RetiredModel>();

/** Why a model of a host is no offer; null when it is one. */
function leftOut(host: Host, id: string, listed: ReadonlySet<string>): string | null {
  if (NOT_CHAT.test(id)) return 'no chat model';
  if (host.except?.test(id) === true) return 'excepted by hand';
  const ended = endOf(host, id);
  if (ended !== null) return ended;
  if (isTextless(host, id)) return 'no text in or out';
  if (host.profiles?.test(id) === true && hasProfile(id, listed)) return 'has profiles';
  return onlyResponses(host, id) ? 'serves only the Responses API' : null;
}

function isTextless(host: Host, id: string): boolean {
  const { input, output } = sources.devModel(host.dev, id)?.modalities ?? {};
  return [input, output].some((names) => names?.includes('text') === false);
}

/** A bare id of Bedrock that is called through profiles. */
function hasProfile(id: string, listed: ReadonlySet<string>): boolean {
  return [...listed].some((other) => other !== id && other.endsWith(`.${id}`));
}

function endOf(host: Host, id: string): string | null {
  const shutdown = shutdownOf(host, id, sources);
  if (shutdown !== undefined && shutdown <= TODAY) {
    retire(id, shutdown, successorOf(host, id));
    return `shut down on ${shutdown}`;
  }
  const lab = labShutdown(publicIdOf(id));
  if (host.reseller === true && lab.shutdown !== undefined && lab.shutdown <= TODAY) {
    retire(id, lab.shutdown, lab.successor ?? null);
    return `its lab shut it down on ${lab.shutdown}`;
  }
  const genai = host.genai === undefined ? undefined : sources.genaiModel(host.genai, id);
  const deprecated =
    genai?.deprecated === true || sources.devModel(host.dev, id)?.status === 'deprecated';
  return deprecated ? 'deprecated by the host' : null;
}

/** Kept for those who still ask for it; what other hosts serve is not retired. */
function retire(upstreamId: string, shutdown: string, successor: string | null): void {
  const id = publicIdOf(upstreamId);
  const known = retired.get(id);
  if (known === undefined || known.successor === null) retired.set(id, { id, shutdown, successor });
}

function onlyResponses(host: Host, id: string): boolean {
  if (host.responses === true) return false;
  for (const prefix of host.litellm) {
    const endpoints = sources.litellmModel(prefix + id)?.supported_endpoints;
    if (endpoints !== undefined)
      return !endpoints.some((path) => path.endsWith('/chat/completions'));
  }
  // Families that OpenAI serves by Responses alone, where litellm says nothing.
  return /^(gpt-.*-(pro|codex)|o\d-pro)/.test(id);
}

function deriveHost(host: Host): readonly Served[] {
  const own = host.only ?? [...sources.devModels(host.dev).keys()];
  const listed = new Set([...own, ...(host.more ?? [])]);
  // What is served everywhere comes before what only some regions serve, and costs less.
  const globalFirst = [...listed].toSorted((a, b) => globalRank(a) - globalRank(b));
  return globalFirst.flatMap((id) => deriveOffer(host, id, listed));
}

function globalRank(id: string): number {
  return id.startsWith('global.') ? 0 : 1;
}

function deriveOffer(host: Host, id: string, listed: ReadonlySet<string>): readonly Served[] {
  const reason = leftOut(host, id, listed);
  if (reason !== null) {
    report.push(`left out  ${host.providerId}/${id}: ${reason}`);
    return [];
  }
  const price = choosePrice(host, id, sources);
  for (const line of price.notes) report.push(`price     ${host.providerId}/${id}: ${line}`);
  if (price.sheet === null) return [];
  const model = publicIdOf(id);
  const lab = labOf(model, id);
  if (lab === null) {
    report.push(`left out  ${host.providerId}/${id}: no rule knows the lab of ${model}`);
    return [];
  }
  verdicts.set(price.verdict, (verdicts.get(price.verdict) ?? 0) + 1);
  if (price.dispute !== null) disputes.push(price.dispute);
  const served = { host, upstreamId: id, model, lab, sheet: price.sheet };
  const undated = undatedName(host, model);
  return undated === null ? [served] : [served, { ...served, model: undated, undated: true }];
}

/**
 * A cloud knows a Claude only by its dated id; where the lab's name without a date has ever meant
 * only that one, the cloud serves that name too.
 */
function undatedName(host: Host, model: string): string | null {
  const name = model.replace(/-20\d{6}$/, '');
  if (name === model || host.undated !== true) return null;
  return sources.devModel('anthropic', name) === undefined ? null : name;
}

/** Embeddings, speech, transcription and images. */
function deriveMedia(host: Host): readonly Served[] {
  const { media } = host;
  if (media === undefined) return [];
  const unlisted = Object.keys(media.embedders ?? {}).map((id) => media.prefix + id);
  return [...sources.litellmKeys(), ...unlisted].flatMap((key) => {
    // litellm has some keys with the name of the provider before them, and some without.
    const upstreamId = key.slice(media.prefix.length).replace(/^cohere\//, '');
    const model = sources.litellmModel(key);
    const isOurs =
      key.startsWith(media.prefix) && media.providers.includes(model?.litellm_provider ?? '');
    const listed = isOurs ? mediaModeOf(model?.mode) : null;
    const mode = unlisted.includes(key) ? 'embedding' : listed;
    if (mode === null || isNoMedium(host, upstreamId)) return [];
    const name = publicIdOf(upstreamId);
    const lab = labOf(name, upstreamId);
    const sheet = mediaPrice(host, { key, id: upstreamId, mode }, sources);
    if (lab === null || sheet === null) {
      report.push(`left out  ${host.providerId}/${upstreamId}: a medium without price or lab`);
      return [];
    }
    return [{ host, upstreamId, model: name, lab, sheet, media: { key, mode } }];
  });
}

function isNoMedium(host: Host, id: string): boolean {
  return NO_MEDIA.test(id) || host.except?.test(id) === true || endOf(host, id) !== null;
}

/** A host that lists one model twice for the same regions keeps the first. */
function withoutTwins(served: readonly Served[]): readonly Served[] {
  const kept = new Map<string, Served>();
  for (const one of served) {
    const regions = one.host.regions?.(one.upstreamId) ?? [];
    const key = `${one.model} ${regions.join()}`;
    const other = kept.get(key);
    if (other === undefined) kept.set(key, one);
    else report.push(`twin      ${one.host.providerId}: ${one.upstreamId} is ${other.upstreamId}`);
  }
  return [...kept.values()];
}

const byHost = HOSTS.map((host) => ({
  host,
  served: withoutTwins([...deriveHost(host), ...deriveMedia(host)]),
}));
const all = byHost.flatMap(({ served }) => served);
const models = deriveFacts(all, sources, report);
const factsById = new Map(models.map((facts) => [facts.id, facts]));

/** What the data set says where it differs from the lab's: limits of which 0 means "not known". */
function differing(hosts: number | undefined, labs: number | null | undefined): number | undefined {
  return hosts === 0 || hosts === labs ? undefined : hosts;
}

function toOffer(served: Served): Offer {
  const { host, model, upstreamId, sheet } = served;
  const labs = host.reseller === true ? labShutdown(model).shutdown : undefined;
  const shutdown = shutdownOf(host, upstreamId, sources) ?? labs;
  const regions = host.regions?.(upstreamId);
  return {
    model,
    ...(upstreamId === model ? {} : { upstreamModel: upstreamId }),
    price: sheet,
    ...limitsOf(served),
    ...(shutdown === undefined ? {} : { shutdown }),
    ...(regions === undefined ? {} : { regions }),
  };
}

function limitsOf({
  host,
  model,
  upstreamId,
  media,
}: Served): Pick<Offer, 'context' | 'maxOutput'> {
  const limit = sources.devModel(host.dev, upstreamId)?.limit;
  const facts = factsById.get(model);
  if (media !== undefined || limit === undefined) return {};
  const context = differing(limit.context, facts?.context);
  const maxOutput = differing(limit.output, facts?.maxOutput);
  return {
    ...(context === undefined ? {} : { context }),
    ...(maxOutput === undefined ? {} : { maxOutput }),
  };
}

for (const { host, served } of byHost) {
  const known = served.filter(({ model }) => factsById.has(model));
  writeOffers(root, host, known.map(toOffer));
  report.push(`offers    ${host.providerId}: ${known.length}`);
}
const names = new Set(models.flatMap((facts) => [facts.id, ...facts.aliases]));
writeModels(root, models);
writeRetired(
  root,
  [...retired.values()]
    .filter(({ id }) => !names.has(id))
    .map((one) => (names.has(one.successor ?? '') ? one : { ...one, successor: null }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
);
writeDisputes(root, disputes);
writeBuiltIn(root, HOSTS);
for (const facts of models) {
  const hosts = all.filter((one) => one.model === facts.id);
  const places = hosts.map((one) => `${one.host.providerId}:${one.upstreamId}`).join('  ');
  report.push(
    `model     ${facts.lab}/${facts.id} (${facts.context}/${facts.maxOutput}): ${places}`,
  );
}
const tally = [...verdicts].map(([verdict, count]) => `${count} ${verdict}`).join(', ');
process.stdout.write(
  `${report.toSorted().join('\n')}\nvotes: ${tally}\n` +
    `${models.length} models, ${all.length} offers, ${HOSTS.length} hosts, ` +
    `${disputes.length} disputed\n`,
);
