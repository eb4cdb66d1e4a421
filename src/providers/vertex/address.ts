/**
 * Where a model is on Vertex AI: a host for each region, a path with project and location, or
 * neither with a key of the express mode. Gemini, Claude and embedders have different methods
 * behind them.
 */
import { generateContentAddress, underBase } from '../dialects/gemini/address.ts';
import { vertexEmbeddingsMethod } from '../dialects/gemini-embeddings/vertex.ts';
import type { Operation, Target, UpstreamAddress } from '../provider.ts';

/** The address that no region was chosen for. */
const GLOBAL_HOST = 'aiplatform.googleapis.com';

/** Locations of several regions have hosts of another form. */
const MULTI_REGIONS: ReadonlySet<string> = new Set(['us', 'eu']);

/** Whether the model is Anthropic's, which speaks its own dialect here too. */
export function isClaude(target: Target): boolean {
  return modelName(target).startsWith('claude-');
}

/** The name without the collection that it may stand in (`publishers/google/models/...`). */
function modelName({ model }: Target): string {
  return model.slice(model.lastIndexOf('/') + 1);
}

export function vertexAddress(target: Target, operation: Operation): UpstreamAddress {
  const baseUrl = regionalBase(target);
  const model = encodeURIComponent(modelName(target));
  if (!isClaude(target)) {
    const path = `${parentOf(target)}publishers/google/models/${model}`;
    const place = { baseUrl, rootPath: '/v1beta1', path };
    if (operation !== 'embeddings') return generateContentAddress(place, operation);
    return underBase({ ...place, path: `${path}:${vertexEmbeddingsMethod(target)}` });
  }
  const method = operation === 'chat_stream' ? 'streamRawPredict' : 'rawPredict';
  const path = `${parentOf(target)}publishers/anthropic/models/${model}:${method}`;
  return underBase({ baseUrl, rootPath: '/v1', path });
}

function regionalBase({ baseUrl, region }: Target): string {
  const url = new URL(baseUrl);
  if (url.hostname !== GLOBAL_HOST || region === null || region === 'global') return baseUrl;
  const name = encodeURIComponent(region);
  url.hostname = MULTI_REGIONS.has(region)
    ? `aiplatform.${name}.rep.googleapis.com`
    : `${name}-${GLOBAL_HOST}`;
  return url.href;
}

/** Nothing without a project: a key of the express mode knows its own. */
function parentOf({ project, region }: Target): string {
  if (project === null) return '';
  const location = encodeURIComponent(region ?? 'global');
  return `projects/${encodeURIComponent(project)}/locations/${location}/`;
}
