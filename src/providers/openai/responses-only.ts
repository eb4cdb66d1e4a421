/**
 * The models that OpenAI serves under `/responses` and not under `/chat/completions`: the enum
 * ResponsesOnlyModel of OpenAI's specification (2026-08-21), the type ResponsesModel of openai
 * 7.55, and the data sets that the catalog is made of, where they name `/v1/responses` alone.
 */
export const RESPONSES_ONLY: ReadonlySet<string> = new Set([
  'codex-mini-latest',
  'computer-use-preview',
  'computer-use-preview-2025-03-11',
  'gpt-5-codex',
  'gpt-5-pro',
  'gpt-5-pro-2025-10-06',
  'gpt-5.1-codex',
  'gpt-5.1-codex-max',
  'gpt-5.1-codex-mini',
  'gpt-5.2-codex',
  'gpt-5.2-pro',
  'gpt-5.2-pro-2025-12-11',
  'gpt-5.3-codex',
  'gpt-5.3-codex-spark',
  'gpt-5.4-pro',
  'gpt-5.4-pro-2026-03-05',
  'gpt-5.5-pro',
  'gpt-5.5-pro-2026-04-23',
  'gpt-5.6-cyber',
  'gpt-6-cyber',
  'gpt-6-rosalind',
  'gpt-daybreak-blue-latest',
  'gpt-daybreak-red-latest',
  'gpt-rosalind-research',
  'o1-pro',
  'o1-pro-2025-03-19',
  'o3-deep-research',
  'o3-deep-research-2025-06-26',
  'o3-pro',
  'o3-pro-2025-06-10',
  'o4-mini-deep-research',
  'o4-mini-deep-research-2025-06-26',
]);
