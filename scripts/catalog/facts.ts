/**
 * Facts of the models that at least one host serves: from the lab's own entry in models.dev, else
 * its canonical one, else any host's; by hand for models younger than the snapshot.
 */
import type { Capability, Modality, ModelFacts } from '#catalog/models.ts';
import type { PriceSheet } from '#wire/price.ts';
import { ALIASES, FACTS, SHUTDOWNS } from './decisions.ts';
import type { Host } from './hosts.ts';
import { labOf } from './names.ts';
import type { DevModel, Sources } from './sources.ts';

export interface Served {
  readonly host: Host;
  readonly upstreamId: string;
  readonly model: string;
  readonly sheet: PriceSheet;
}

/** Where models.dev keeps a lab's own models. */
const LAB_HOSTS: Readonly<Record<string, string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  google: 'google',
  mistral: 'mistral',
  deepseek: 'deepseek',
  qwen: 'alibaba',
  moonshotai: 'moonshotai',
  zai: 'zai',
  xai: 'xai',
  minimax: 'minimax',
  perplexity: 'perplexity',
};
const CANONICAL_LABS: Readonly<Record<string, string>> = { qwen: 'alibaba', zai: 'zhipuai' };
/** How OpenRouter writes a lab. */
const SLUGS: Readonly<Record<string, string>> = {
  mistral: 'mistralai',
  meta: 'meta-llama',
  zai: 'z-ai',
  xai: 'x-ai',
};
const MODALITIES: Readonly<Record<string, Modality>> = {
  text: 'text',
  image: 'image',
  audio: 'audio',
  video: 'video',
  pdf: 'file',
};
const SNAPSHOT = /-(20\d\d-\d\d-\d\d)$/;

export function deriveFacts(
  served: readonly Served[],
  sources: Sources,
  report: string[],
): readonly ModelFacts[] {
  const byModel = Map.groupBy(served, (one) => one.model);
  const found = new Map<string, ModelFacts>();
  for (const [id, hosts] of byModel) {
    const facts = factsOf(id, hosts, sources);
    if (facts === null) report.push(`NO FACTS  ${id}`);
    else found.set(id, facts);
  }
  return withAliases(found, byModel, report).toSorted(
    (a, b) => compare(a.lab, b.lab) || compare(a.id, b.id),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function factsOf(id: string, hosts: readonly Served[], sources: Sources): ModelFacts | null {
  const lab = labOf(id);
  if (lab === null) return null;
  const byHand = FACTS[id];
  const entry = entryOf(
    { id: byHand?.like ?? id, lab, hosts: byHand === undefined ? hosts : [] },
    sources,
  );
  if (entry === null) return snapshotFacts(id, lab, sources);
  const { like: _, released, aliases, ...decided } = byHand ?? { released: undefined };
  return {
    id,
    lab,
    ...toFacts(entry),
    ...(LAB_HOSTS[lab] === undefined ? widestLimits(hosts, sources) : {}),
    ...decided,
    ...(released === undefined ? {} : { created: toSeconds(released) }),
    ...labShutdown(id, lab),
    aliases: aliases ?? [],
  };
}

/** Weights that anybody may host have no lab's limit: the widest host's holds. */
function widestLimits(
  hosts: readonly Served[],
  sources: Sources,
): { readonly context?: number; readonly maxOutput?: number } {
  const limits = hosts.flatMap(
    (one) => sources.devModel(one.host.dev, one.upstreamId)?.limit ?? [],
  );
  const context = Math.max(0, ...limits.map((limit) => limit.context));
  const maxOutput = Math.max(0, ...limits.map((limit) => limit.output));
  return {
    ...(context === 0 ? {} : { context }),
    ...(maxOutput === 0 ? {} : { maxOutput }),
  };
}

/** A dated snapshot is its model, at a day. */
function snapshotFacts(id: string, lab: string, sources: Sources): ModelFacts | null {
  const day = SNAPSHOT.exec(id)?.[1];
  const parent =
    day === undefined ? null : entryOf({ id: id.replace(SNAPSHOT, ''), lab, hosts: [] }, sources);
  if (day === undefined || parent === null) return null;
  const facts = toFacts(parent);
  return {
    id,
    lab,
    ...facts,
    name: `${facts.name} (${day})`,
    created: toSeconds(day),
    ...labShutdown(id, lab),
    aliases: [],
  };
}

interface Wanted {
  readonly id: string;
  readonly lab: string;
  readonly hosts: readonly Served[];
}

function entryOf({ id, lab, hosts }: Wanted, sources: Sources): DevModel | null {
  const labHost = LAB_HOSTS[lab] ?? '';
  const own = hosts.find((one) => one.host.dev === labHost);
  const canonicalLab = CANONICAL_LABS[lab] ?? lab;
  const bases = hosts.map((one) => sources.devModel(one.host.dev, one.upstreamId)?.base_model);
  const candidates = [
    sources.devModel(labHost, own?.upstreamId ?? id),
    sources.canonical(`${canonicalLab}/${id}`),
    ...bases.map((base) => (base === undefined ? undefined : sources.canonical(base))),
    ...hosts.map((one) => sources.devModel(one.host.dev, one.upstreamId)),
    sources.devModel('azure', id),
    sources.devModel('openrouter', `${SLUGS[lab] ?? lab}/${id}`),
  ];
  return candidates.find((entry) => entry !== undefined) ?? null;
}

function toFacts(entry: DevModel): Omit<ModelFacts, 'id' | 'lab' | 'aliases'> {
  const input = toModalities(entry.modalities.input);
  const output = toModalities(entry.modalities.output);
  return {
    name: entry.name.replace(/ \(latest\)$/, ''),
    created: toSeconds(entry.release_date),
    context: entry.limit.context === 0 ? null : entry.limit.context,
    maxOutput: entry.limit.output === 0 ? null : entry.limit.output,
    input,
    output,
    capabilities: toCapabilities(entry, input, output),
  };
}

function toModalities(names: readonly string[]): readonly Modality[] {
  return names.flatMap((name) => MODALITIES[name] ?? []);
}

function toCapabilities(
  entry: DevModel,
  input: readonly Modality[],
  output: readonly Modality[],
): readonly Capability[] {
  const has: Readonly<Record<Capability, boolean>> = {
    tools: entry.tool_call,
    // Every host of this family that has tools has JSON mode.
    json_mode: entry.structured_output === true || entry.tool_call,
    structured_output: entry.structured_output === true,
    reasoning: entry.reasoning,
    vision: input.includes('image'),
    audio: input.includes('audio') || output.includes('audio'),
    web_search: /^sonar/i.test(entry.name),
  };
  const order: readonly Capability[] = [
    'tools',
    'json_mode',
    'structured_output',
    'reasoning',
    'vision',
    'audio',
    'web_search',
  ];
  return order.filter((capability) => has[capability]);
}

/** The lab's own host decides when a closed model ends; weights that are open never do. */
function labShutdown(id: string, lab: string): { readonly shutdown?: string } {
  if (lab !== 'openai' || id.startsWith('gpt-oss')) return {};
  const date = SHUTDOWNS['openai']?.find(([pattern]) => pattern.test(id))?.[1];
  return date === undefined ? {} : { shutdown: date };
}

/** "2026-03" and "2026" mean the first day. */
function toSeconds(date: string): number {
  const [year = '', month = '01', day = '01'] = date.split('-');
  const ms = Date.UTC(Number(year), Number(month) - 1, Number(day));
  if (Number.isNaN(ms)) throw new Error(`not a date: ${date}`);
  return ms / 1000;
}

/** The hosts' own ids as further names, unless two models would share one. */
function withAliases(
  found: ReadonlyMap<string, ModelFacts>,
  byModel: ReadonlyMap<string, readonly Served[]>,
  report: string[],
): readonly ModelFacts[] {
  const owners = new Map<string, string>();
  for (const facts of found.values()) {
    owners.set(facts.id, facts.id);
    owners.set(`${facts.lab}/${facts.id}`, facts.id);
  }
  return [...found.values()].map((facts) => {
    const names = [
      ...facts.aliases,
      ...(ALIASES[facts.id] ?? []),
      ...hostNames(byModel.get(facts.id) ?? []),
    ];
    const aliases = names.filter((name) => {
      const owner = owners.get(name);
      const bare = name.includes('/') ? name : `${facts.lab}/${name}`;
      if (owner === undefined && !owners.has(bare)) {
        owners.set(name, facts.id);
        owners.set(bare, facts.id);
        return true;
      }
      if (owner !== undefined && owner !== facts.id) {
        report.push(`COLLIDES  ${name}: ${owner} and ${facts.id}`);
      }
      return false;
    });
    return { ...facts, aliases };
  });
}

/** What hosts call a model, whole and without the folder. */
function hostNames(served: readonly Served[]): readonly string[] {
  const whole = served.map((one) => one.upstreamId.toLowerCase());
  const bare = whole.map((name) => name.slice(name.lastIndexOf('/') + 1));
  return [...new Set([...whole, ...bare])];
}
