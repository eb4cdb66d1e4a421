/**
 * Google's own tools: what they are called in a request, in an answer, and in the common form,
 * where the names are those that most upstreams share.
 */

/** Tools of a request that take a configuration, by their key in `tools[]`. */
const GOOGLE_TOOLS: ReadonlySet<string> = new Set([
  'googleSearch',
  'googleSearchRetrieval',
  'googleMaps',
  'codeExecution',
  'urlContext',
  'fileSearch',
  'computerUse',
  'enterpriseWebSearch',
  'exaAiSearch',
  'parallelAiSearch',
  'retrieval',
  'mcpServers',
]);

/** What callers who know another upstream's words, or Google's in snake case, mean. */
const REQUEST_NAMES: ReadonlyMap<string, string> = new Map([
  ['web_search', 'googleSearch'],
  ['google_search', 'googleSearch'],
  ['code_execution', 'codeExecution'],
  ['code_interpreter', 'codeExecution'],
  ['url_context', 'urlContext'],
  ['web_fetch', 'urlContext'],
  ['file_search', 'fileSearch'],
  ['google_maps', 'googleMaps'],
]);

/** The key in `tools[]` for a hosted tool of the form; undefined where Google has none. */
export function requestNameOf(tool: string): string | undefined {
  return GOOGLE_TOOLS.has(tool) ? tool : REQUEST_NAMES.get(tool);
}

/** The form's name of a key in `tools[]`: in words of all only what has no configuration. */
export function formNameOf(key: string, config: unknown): string {
  const isPlain = typeof config === 'object' && config !== null && Object.keys(config).length === 0;
  if (!isPlain) return key;
  if (key === 'googleSearch') return 'web_search';
  return key === 'codeExecution' ? 'code_interpreter' : key;
}

/** `toolType` of a call in an answer, and the form's name of the tool. */
const ANSWER_NAMES: readonly (readonly [string, string])[] = [
  ['CODE', 'code_execution'],
  ['GOOGLE_SEARCH_WEB', 'web_search'],
  ['GOOGLE_SEARCH_IMAGE', 'image_search'],
  ['URL_CONTEXT', 'url_context'],
  ['GOOGLE_MAPS', 'google_maps'],
  ['FILE_SEARCH', 'file_search'],
];

export function toolNameOf(toolType: string): string {
  return ANSWER_NAMES.find(([type]) => type === toolType)?.[1] ?? toolType.toLowerCase();
}

export function toolTypeOf(toolName: string): string {
  return ANSWER_NAMES.find(([, name]) => name === toolName)?.[0] ?? toolName.toUpperCase();
}
