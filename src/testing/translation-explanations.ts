/** The known classes of differences between recorded requests and ours, each with its reason. */
import type { NativeDialect } from './recordings-native-rows.ts';

export interface Explanation {
  readonly dialect: NativeDialect | 'any';
  /** Matches `<kind> <path>`. */
  readonly what: RegExp;
  readonly title: string;
  readonly why: string;
}

const HOSTED =
  'tools that the host runs itself have no place in an assistant message of chat; the answer that ' +
  'they led to stays';

/** The first that matches counts. */
export const EXPLANATIONS: readonly Explanation[] = [
  {
    dialect: 'any',
    what: new RegExp(
      '^no place in chat part hosted_tool|^lost block (?:server_tool_use|mcp_tool_use|.+_result|' +
        'nova_.+|toolCall|toolResponse|executableCode|codeExecutionResult)$',
    ),
    title: 'calls and results of hosted tools in history',
    why: HOSTED,
  },
  {
    dialect: 'anthropic',
    what: /^lost block (?:container_upload|compaction|tool_addition)$/,
    title: 'uploads for a container, compactions, tools that are added in the middle',
    why: 'beta blocks for which chat has no word',
  },
  {
    dialect: 'anthropic',
    what: /^lost block image, uploaded$|^no place in chat part image, uploaded$/,
    title: 'images that were uploaded before',
    why: 'chat names uploaded documents, but no images',
  },
  {
    dialect: 'anthropic',
    what: /^lost (?:context_management|mcp_servers)$/,
    title: 'context editing, MCP servers',
    why: 'beta settings for which chat has no word: left out with a warning',
  },
  {
    dialect: 'anthropic',
    what: /^(?:lost|no place in chat state) container$/,
    title: 'the container of an earlier answer',
    why: 'state kept by the host, for which chat has no word: left out with a warning',
  },
  {
    dialect: 'anthropic',
    what: /^lost output_config(?:\.task_budget)?$/,
    title: 'a budget for the whole task',
    why: 'a beta setting for which chat has no word: left out with a warning',
  },
  {
    dialect: 'anthropic',
    what: /^added thinking$/,
    title: 'whether to think, where only an effort was sent',
    why: '`reasoning_effort` asks for reasoning, so it is switched on in the way of the model',
  },
  {
    dialect: 'anthropic',
    what: /^changed output_config\.effort$/,
    title: 'an effort that the model does not know',
    why: 'the recorded host refused it; the nearest that the model knows is sent, with a warning',
  },
  {
    dialect: 'anthropic',
    what: /^lost cache_control(?:, silently)?$|^added messages\[\]\.content\[\]\.cache_control$/,
    title: 'a cache hint for the request as a whole',
    why: 'it is put on the last part, which is what it means',
  },
  {
    dialect: 'anthropic',
    what: /^lost place of instructions/,
    title: 'the place of instructions in the middle',
    why: 'they move to the front, with a warning: only the newest models take them elsewhere',
  },
  {
    dialect: 'anthropic',
    what: /^lost messages\[\]\.content\[\]\.content$/,
    title: 'references to tools in a tool result',
    why: 'they belong to tool search, which chat has no word for',
  },
  {
    dialect: 'anthropic',
    what: /^lost hosted(?:\.(?:tool_search|advisor|memory)\w*)?$|^lost tools\[\]\.defer_loading$/,
    title: 'tool search, advisors, memory and tools that are loaded late',
    why: 'chat has no word for them: all tools are sent, and unknown hosted ones are warned of',
  },
  {
    dialect: 'anthropic',
    what: /^changed hosted\.\w+\.version$/,
    title: 'the version of a hosted tool',
    why: 'chat asks for the tool without a version; the one that all models take is sent',
  },
  {
    dialect: 'any',
    what: /^refused 400 .*(?:must not be empty|expected at least 1 item)/,
    title: 'an empty request or message',
    why: 'refused with its path, as OpenAI refuses it',
  },
  {
    dialect: 'any',
    what: /^refused 400 This tool result answers no call/,
    title: 'a tool result without its call',
    why: 'refused with its path: the recording was edited by hand, and its host would refuse it too',
  },
  {
    dialect: 'bedrock',
    what: /video\.format$/,
    title: 'the word for a format of video',
    why: 'the recording names a media type, where the API wants `mp4`',
  },
  {
    dialect: 'bedrock',
    what: /toolResult\.content$/,
    title: 'a video in a tool result',
    why: 'a tool message of chat holds no video; the recorded models refused it too',
  },
  {
    dialect: 'bedrock',
    what: /^lost performanceConfig$/,
    title: 'a faster service',
    why: 'it has a price of its own, which nobody has published as data; a warning says so',
  },
  {
    dialect: 'bedrock',
    what: /^lost outputConfig$|^added toolConfig$/,
    title: 'a schema for the answer',
    why: 'where it is not sure that the model takes one, a forced tool stands in, with a warning',
  },
  {
    dialect: 'gemini',
    what: /function(?:Call|Response)\.id$/,
    title: 'ids of calls',
    why: 'chat demands ids, so ours are sent where none were; Google takes them',
  },
  {
    dialect: 'gemini',
    what: /toolConfig$|includeServerSideToolInvocations$/,
    title: 'whether to show the calls of hosted tools',
    why: HOSTED,
  },
  {
    dialect: 'gemini',
    what: /(?:safetySettings|cachedContent|labels|modelArmorConfig|videoMetadata)$/,
    title: 'safety settings, cached contents, labels, armor, cuts of videos',
    why: "Google's own settings, for which chat has no word: left out with a warning",
  },
  {
    dialect: 'gemini',
    what: /^lost generationConfig\.imageConfig, silently$/,
    title: 'image options inside of generationConfig',
    why: 'left out without a warning of their own: a member of that name is sent all the same',
  },
];
