/**
 * Makes a provider of the OpenAI chat family out of data: where it is, what its key is called, what
 * it does differently. A host that needs more than data gives its own functions for address or
 * credentials.
 */
import type { Offer } from '#providers/offers.ts';
import type {
  ChatSupport,
  CredentialInput,
  Credentials,
  Operation,
  Provider,
  Target,
  UpstreamAddress,
  UpstreamErrorInput,
} from '#providers/provider.ts';
import type { EmbeddingsHabits } from '../openai-embeddings/habits.ts';
import { openAiEmbeddings } from '../openai-embeddings/support.ts';
import { chatCodec } from './codec.ts';
import { readError } from './errors.ts';
import { DEFAULT_HABITS } from './habits.ts';
import type { ChatHabits } from './habits.ts';
import { passThrough } from './pass-through.ts';

interface FamilyMember {
  readonly id: string;
  readonly name: string;
  readonly docs: string;
  readonly baseUrl: string | null;
  readonly env: Provider['env'];
  readonly needsKey: boolean;
  readonly onCancel: Provider['onCancel'];
  readonly offers: readonly Offer[];
  readonly habits?: Partial<ChatHabits>;
  /** Put in front where a base URL has no path: official SDKs that add the version themselves. */
  readonly rootPath?: string;
  /** Present where the host makes embeddings too: what is particular to them. */
  readonly embeddings?: Partial<EmbeddingsHabits>;
  readonly address?: (target: Target, operation: Operation) => UpstreamAddress;
  readonly credentials?: (input: CredentialInput) => Credentials;
  readonly readError?: (input: UpstreamErrorInput) => ReturnType<typeof readError>;
}

/** Speaks the same to every target. */
export type FamilyProvider = Provider & { readonly chat: ChatSupport };

/**
 * A provider that speaks OpenAI's chat completions, with the given deviations from
 * `DEFAULT_HABITS`.
 */
export function openAiFamily(member: FamilyMember): FamilyProvider {
  const habits: ChatHabits = { ...DEFAULT_HABITS, ...member.habits };
  return {
    id: member.id,
    name: member.name,
    docs: member.docs,
    baseUrl: member.baseUrl,
    env: member.env,
    needsKey: member.needsKey,
    onCancel: member.onCancel,
    address:
      member.address ?? ((target, operation) => familyAddress(target, operation, member.rootPath)),
    credentials: member.credentials ?? bearerCredentials,
    readError: member.readError ?? readError,
    offers: member.offers,
    chat: {
      dialect: 'openai-chat',
      codec: chatCodec(habits),
      passThrough: passThrough(habits),
    },
    ...(member.embeddings === undefined ? {} : { embeddings: openAiEmbeddings(member.embeddings) }),
  };
}

const PATHS: Readonly<Record<Operation, string>> = {
  chat: '/chat/completions',
  chat_stream: '/chat/completions',
  responses: '/responses',
  embeddings: '/embeddings',
};

/** The operation's path under the base URL, whose own query (a gateway's version, say) stays. */
export function familyAddress(
  target: Target,
  operation: Operation,
  rootPath = '',
): UpstreamAddress {
  const root = new URL(target.baseUrl).pathname === '/' ? rootPath : '';
  return { method: 'POST', url: underBase(target.baseUrl, `${root}${PATHS[operation]}`) };
}

/** Joins a path to a base URL: trailing slashes do not double, a query stays behind the path. */
export function underBase(baseUrl: string, path: string): string {
  const url = new URL(baseUrl);
  url.pathname = url.pathname.replace(/\/+$/, '') + path;
  return url.href;
}

/** `Authorization: Bearer`; nothing where there is no secret (hosts on one's own machine). */
function bearerCredentials(input: CredentialInput): Credentials {
  if (input.secret === '') return { headers: [] };
  return { headers: [['authorization', `Bearer ${input.secret}`]] };
}
