/**
 * Makes the catalog's data: `node scripts/catalog/derive.ts` reads the data sets in `$OMNIX_SHARED`
 * and writes `src/catalog/data/models.ts` and `src/providers/<id>/offers.ts`, and prints what was
 * left out, where the data sets disagree, and which hosts serve what, to be read by a person before
 * a commit.
 */
import { resolve } from 'node:path';
import type { Offer } from '#providers/offers.ts';
import { TODAY } from './decisions.ts';
import { writeBuiltIn, writeModels, writeOffers } from './emit.ts';
import { deriveFacts, type Served } from './facts.ts';
import { HOSTS, NOT_CHAT, type Host } from './hosts.ts';
import { labOf, publicIdOf } from './names.ts';
import { choosePrice, shutdownOf } from './prices.ts';
import { readSources, type Sources } from './sources.ts';

const root = resolve(import.meta.dirname, '../..');
const sources = readSources(process.env['OMNIX_SHARED'] ?? resolve(root, '../shared'));
const report: string[] = [];

/** Why a model of a host is no offer; null when it is one. */
function leftOut(host: Host, id: string): string | null {
  if (NOT_CHAT.test(id)) return 'no chat model';
  if (host.except?.test(id) === true) return 'excepted by hand';
  const ended = endOf(host, id);
  if (ended !== null) return ended;
  const modalities = sources.devModel(host.dev, id)?.modalities;
  if (modalities?.output.includes('text') === false) return 'no text output';
  if (modalities?.input.includes('text') === false) return 'no text input';
  return onlyResponses(host, id, sources) ? 'serves only the Responses API' : null;
}

function endOf(host: Host, id: string): string | null {
  const shutdown = shutdownOf(host, id, sources);
  if (shutdown !== undefined && shutdown <= TODAY) return `shut down on ${shutdown}`;
  const genai = host.genai === undefined ? undefined : sources.genaiModel(host.genai, id);
  const deprecated =
    genai?.deprecated === true || sources.devModel(host.dev, id)?.status === 'deprecated';
  return deprecated ? 'deprecated by the host' : null;
}

function onlyResponses(host: Host, id: string, from: Sources): boolean {
  for (const prefix of host.litellm) {
    const endpoints = from.litellmModel(prefix + id)?.supported_endpoints;
    if (endpoints !== undefined)
      return !endpoints.some((path) => path.endsWith('/chat/completions'));
  }
  // Families that OpenAI serves by Responses alone, where litellm says nothing.
  return /^(gpt-.*-(pro|codex)|o\d-pro)/.test(id);
}

function deriveHost(host: Host): readonly Served[] {
  const listed = host.only ?? [...sources.devModels(host.dev).keys()];
  const served: Served[] = [];
  for (const id of new Set([...listed, ...(host.more ?? [])])) {
    const reason = leftOut(host, id);
    if (reason !== null) {
      report.push(`left out  ${host.providerId}/${id}: ${reason}`);
      continue;
    }
    const price = choosePrice(host, id, sources);
    for (const line of price.notes) report.push(`price     ${host.providerId}/${id}: ${line}`);
    if (price.sheet === null) continue;
    const model = publicIdOf(id);
    if (labOf(model) === null) {
      report.push(`left out  ${host.providerId}/${id}: no rule knows the lab of ${model}`);
      continue;
    }
    served.push({ host, upstreamId: id, model, sheet: price.sheet });
  }
  return served;
}

/** A host that lists one model twice keeps the first; the other name becomes an alias. */
function withoutTwins(served: readonly Served[]): readonly Served[] {
  const kept = new Map<string, Served>();
  for (const one of served) {
    const other = kept.get(one.model);
    if (other === undefined) kept.set(one.model, one);
    else report.push(`twin      ${one.host.providerId}: ${one.upstreamId} is ${other.upstreamId}`);
  }
  return [...kept.values()];
}

const byHost = HOSTS.map((host) => ({ host, served: withoutTwins(deriveHost(host)) }));
const all = byHost.flatMap(({ served }) => served);
const models = deriveFacts(all, sources, report);
const factsById = new Map(models.map((facts) => [facts.id, facts]));

/** What the data set says where it differs from the lab's: limits of which 0 means "not known". */
function differing(hosts: number | undefined, labs: number | null | undefined): number | undefined {
  return hosts === 0 || hosts === labs ? undefined : hosts;
}

function toOffer({ host, model, upstreamId, sheet }: Served): Offer {
  const limit = sources.devModel(host.dev, upstreamId)?.limit;
  const facts = factsById.get(model);
  const shutdown = shutdownOf(host, upstreamId, sources);
  const context = differing(limit?.context, facts?.context);
  const maxOutput = differing(limit?.output, facts?.maxOutput);
  return {
    model,
    ...(upstreamId === model ? {} : { upstreamModel: upstreamId }),
    price: sheet,
    ...(context === undefined ? {} : { context }),
    ...(maxOutput === undefined ? {} : { maxOutput }),
    ...(shutdown === undefined ? {} : { shutdown }),
  };
}

for (const { host, served } of byHost) {
  writeOffers(root, host, served.map(toOffer));
  report.push(`offers    ${host.providerId}: ${served.length}`);
}
writeModels(root, models);
writeBuiltIn(root, HOSTS);
for (const facts of models) {
  const hosts = all.filter((one) => one.model === facts.id);
  const names = hosts.map((one) => `${one.host.providerId}:${one.upstreamId}`).join('  ');
  report.push(`model     ${facts.lab}/${facts.id} (${facts.context}/${facts.maxOutput}): ${names}`);
}
process.stdout.write(
  `${report.toSorted().join('\n')}\n${models.length} models, ${all.length} offers\n`,
);
