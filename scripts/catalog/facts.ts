/**
 * Facts of the models that at least one host serves: from the lab's own entry in models.dev, else
 * its canonical one, else any host's; by hand for models younger than the snapshot.
 */
import { CAPABILITIES, type Capability, type Modality, type ModelFacts } from '#catalog/models.ts';
import type { PriceSheet } from '#wire/price.ts';
import { ALIASES, FACTS } from './decisions.ts';
import { labShutdown } from './ends.ts';
import type { Host } from './host.ts';
import { MEDIA, type MediaMode } from './media.ts';
import type { DevModel, LitellmModel, Sources } from './sources.ts';

export interface Served {
  readonly host: Host;
  readonly upstreamId: string;
  readonly model: string;
  readonly lab: string;
  /** The host's id names a snapshot, and this is the name without its date. */
  readonly undated?: true;
  readonly sheet: PriceSheet;
  /** What litellm knows of a model that is no chat; absent for a chat model. */
  readonly media?: { readonly key: string; readonly mode: MediaMode };
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
  cohere: 'cohere',
  amazon: 'amazon-bedrock',
  upstage: 'upstage',
  xiaomi: 'xiaomi',
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
const SNAPSHOT = /-(20\d\d)-?(\d\d)-?(\d\d)$/;

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
  const lab = hosts[0]?.lab;
  if (lab === undefined) return null;
  const media = mediaFacts(id, hosts, sources);
  if (media !== null) return media;
  const byHand = FACTS[id];
  const asked = byHand === undefined ? hosts : [];
  const wanted = {
    id: byHand?.like ?? id,
    lab,
    hosts: asked.filter(({ host }) => host.facts !== 'last'),
  };
  const entry = entryOf(wanted, sources);
  if (entry === null) {
    const last = snapshotFacts(id, lab, sources) ?? lastFacts(id, asked, sources);
    return last ?? litellmFacts(id, hosts, sources);
  }
  const own = LAB_HOSTS[lab] === undefined ? widestLimits(wanted.hosts, sources) : {};
  const base = { ...toFacts(entry), ...own };
  return { id, lab, ...base, aliases: [], ...decidedFacts(byHand), ...labShutdown(id) };
}

/** What the host of last resort says, where nobody else knows the model. */
function lastFacts(id: string, hosts: readonly Served[], sources: Sources): ModelFacts | null {
  const [first] = hosts;
  if (first === undefined) return null;
  const entry = sources.devModel(first.host.dev, first.upstreamId);
  if (entry === undefined) return null;
  return { id, lab: first.lab, ...toFacts(entry), ...labShutdown(id), aliases: [] };
}

function decidedFacts(byHand: (typeof FACTS)[string] | undefined): Partial<ModelFacts> {
  if (byHand === undefined) return {};
  const { like: _, released, ...decided } = byHand;
  return { ...decided, created: toSeconds(released) };
}

/** Weights that anybody may host have no lab's limit: the widest host's holds. */
function widestLimits(
  hosts: readonly Served[],
  sources: Sources,
): { readonly context?: number; readonly maxOutput?: number } {
  const first = hosts.filter(({ host }) => host.facts === undefined);
  const limits = (first.length > 0 ? first : hosts).flatMap(
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
  const match = SNAPSHOT.exec(id);
  const parent =
    match === null ? null : entryOf({ id: id.replace(SNAPSHOT, ''), lab, hosts: [] }, sources);
  if (match === null || parent === null) return null;
  const day = match.slice(1).join('-');
  const facts = toFacts(parent);
  return {
    id,
    lab,
    ...facts,
    name: `${facts.name} (${day})`,
    created: toSeconds(day),
    ...labShutdown(id),
    aliases: [],
  };
}

function litellmOf(host: Host, id: string, sources: Sources): LitellmModel | undefined {
  const key = host.litellm.map((prefix) => prefix + id).find((one) => sources.litellmModel(one));
  return key === undefined ? undefined : sources.litellmModel(key);
}

/** What litellm knows of a model that models.dev never listed: no name and no day. */
function litellmFacts(id: string, hosts: readonly Served[], sources: Sources): ModelFacts | null {
  for (const { host, upstreamId, lab } of hosts) {
    const model = litellmOf(host, upstreamId, sources);
    if (model === undefined) continue;
    const says = (name: string): boolean => model[`supports_${name}`] === true;
    const has: readonly (readonly [Capability, boolean])[] = [
      ['tools', says('function_calling')],
      ['json_mode', says('response_schema') || says('function_calling')],
      ['structured_output', says('response_schema')],
      ['reasoning', says('reasoning')],
      ['sampling', true],
      ['vision', says('vision')],
      ['audio', says('audio_input')],
    ];
    const media: readonly (readonly [Modality, boolean])[] = [
      ['image', says('vision')],
      ['audio', says('audio_input')],
      ['video', says('video_input')],
      ['file', says('pdf_input')],
    ];
    return {
      id,
      lab,
      name: titleOf(id),
      created: 0,
      context: toTokens(model.max_input_tokens),
      maxOutput: toTokens(model.max_output_tokens),
      input: ['text', ...media.filter(([, yes]) => yes).map(([one]) => one)],
      output: ['text'],
      capabilities: has.filter(([, yes]) => yes).map(([one]) => one),
      aliases: [],
    };
  }
  return null;
}

function mediaFacts(id: string, hosts: readonly Served[], sources: Sources): ModelFacts | null {
  const [first] = hosts.filter(({ media }) => media !== undefined);
  if (first?.media === undefined) return null;
  const { input, output } = MEDIA[first.media.mode];
  const models = hosts
    .map(({ media }) => sources.litellmModel(media?.key ?? ''))
    .filter((model) => model !== undefined);
  const context = Math.max(
    first.host.media?.embedders?.[first.upstreamId] ?? 0,
    ...models.map((model) => toTokens(model.max_input_tokens) ?? 0),
  );
  const takesImages = models.some(
    (model) => model.supports_embedding_image_input === true || model.supports_multimodal === true,
  );
  const known = entryOf({ id, lab: first.lab, hosts }, sources);
  return {
    id,
    lab: first.lab,
    name: known?.name ?? titleOf(id),
    created: known === null ? 0 : toSeconds(known.release_date),
    context: context === 0 ? null : context,
    maxOutput: null,
    input: takesImages ? [...input, 'image'] : input,
    output,
    capabilities: [],
    ...labShutdown(id),
    aliases: [],
  };
}

function toTokens(value: unknown): number | null {
  return typeof value === 'number' && value > 0 ? value : null;
}

/** `palmyra-x5` -> `Palmyra X5`: a name where nobody publishes one. */
function titleOf(id: string): string {
  return id.replace(/(^|-)(\w)/g, (_, dash: string, letter: string) => {
    return `${dash === '' ? '' : ' '}${letter.toUpperCase()}`;
  });
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
  const first = hosts.filter(({ host }) => host.facts === undefined);
  const second = hosts.filter(({ host }) => host.facts === 'second');
  const candidates = [
    sources.devModel(labHost, own?.upstreamId ?? id),
    sources.canonical(`${canonicalLab}/${id}`),
    ...first.map((one) => baseOf(one, sources)),
    ...first.map((one) => sources.devModel(one.host.dev, one.upstreamId)),
    sources.devModel('azure', id),
    sources.devModel('openrouter', `${SLUGS[lab] ?? lab}/${id}`),
    ...second.map((one) => sources.devModel(one.host.dev, one.upstreamId)),
    ...second.map((one) => baseOf(one, sources)),
  ];
  return candidates.find((entry) => entry !== undefined) ?? null;
}

function baseOf({ host, upstreamId }: Served, sources: Sources): DevModel | undefined {
  const base = sources.devModel(host.dev, upstreamId)?.base_model;
  return base === undefined ? undefined : sources.canonical(base);
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
    sampling: entry.temperature !== false,
    vision: input.includes('image'),
    audio: input.includes('audio') || output.includes('audio'),
    web_search: /^sonar/i.test(entry.name),
  };
  return CAPABILITIES.filter((capability) => has[capability]);
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
  const own = served.filter((one) => one.undated !== true);
  const whole = own.map((one) => one.upstreamId.toLowerCase());
  const bare = whole.map((name) => name.slice(name.lastIndexOf('/') + 1));
  return [...new Set([...whole, ...bare])];
}
