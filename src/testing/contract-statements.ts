/**
 * What contract.md promises, statement by statement, and since when: `src/contract.test.ts` holds
 * it against the contract and against the tests. A test that proves a statement has
 * `(contract: <section>, <name>; <name>)` in its title.
 */

/**
 * `now`: a test proves it. `guidance`: nothing that could be tested. A number: the step in which it
 * comes; with `refused` a test shows that it is refused, or said to be without effect, until then.
 */
export type StatementState = 'now' | 'guidance' | 4 | 5 | 6 | 7 | 8 | 9;

export interface Statement {
  readonly section: Section;
  readonly name: string;
  /** As they stand on one line of that section of the contract. */
  readonly words: string;
  readonly state: StatementState;
  readonly refused: boolean;
}

/** The headings of the contract up to "Errors"; what stands before the first is `Names`. */
export const SECTIONS = [
  'Names',
  'Starting',
  'Config file',
  'Keys and callers',
  'Answers',
] as const;
export type Section = (typeof SECTIONS)[number];

type Row = readonly [name: string, words: string, state: StatementState, refused?: 'refused'];

const NAMES: readonly Row[] = [
  ['packages', 'npm name `omnix`, SDK `@omnix/sdk`', 'now'],
  ['prefix', 'environment prefix `OMNIX_`', 'now'],
  ['fixed', "tests and other people's scripts rely on it. Where it is silent", 'guidance'],
];

const STARTING: readonly Row[] = [
  ['npm start', 'it installs the exact locked dependencies', 'now'],
  ['embedded database', 'Postgres in the data directory, migrates, and serves.', 'now'],
  ['older Node', "It works when the machine's own Node is older", 'now'],
  ['pinned Node', 'scripts then run on the pinned `node`', 'now'],
  ['npm test', '`npm test` on a fresh clone likewise', 'now'],
  ['owner', "it creates the owner's organization, prints once the owner's management key", 'now'],
  ['portal URL', "the portal's URL", 8],
  ['first request', '`curl` that answers at once without any provider account', 'now'],
  ['provider credentials', 'Provider credentials that stand in the environment', 'now'],
  ['without a config file', 'switch their provider on, with no config file.', 'now'],
  ['GET /health', '`GET /health` is 200 as soon as the process listens', 'now'],
  ['pid', '`pid` of the serving process, only to loopback callers', 'now'],
  [
    'GET /ready',
    '`GET /ready` is 200 when requests can be served, else 503 with the reason',
    'now',
  ],
  ['keys before ready', 'First-start keys are printed before `/ready` turns 200.', 'now'],
  ['drain', 'SIGTERM drains: no new requests, streams finish', 'now'],
  ['OMNIX_DRAIN_MS', '(up to `OMNIX_DRAIN_MS`, default 30000)', 'now'],
  ['settled at the end', 'usage is settled, exit 0', 'now'],
  ['PORT and HOST', '| `PORT`, `HOST` | where it listens | 8787, 127.0.0.1', 'now'],
  ['HOST of the image', '(0.0.0.0 in the container image)', 9],
  ['OMNIX_DATA_DIR', '| `OMNIX_DATA_DIR` | embedded database, journal', 'now'],
  ['blobs in files', 'journal, blobs;', 7],
  ['one owner of the data', 'one supervisor owns it (a lock that dies with its owner', 'now'],
  ['second start', 'a second start waits 10 s for a draining owner, then refuses', 'now'],
  ['OMNIX_CONFIG', '| `OMNIX_CONFIG` | config file, YAML or JSON', 'now'],
  ['omnix.yaml', '`omnix.yaml` if it exists', 'now'],
  ['OMNIX_OWNER_KEY', '| `OMNIX_OWNER_KEY` | well-formed management key to create', 'now'],
  ['npm run key', '`npm run --silent key -- mgmt` makes one offline', 'now'],
  ['random owner key', 'random, printed once on standard output', 'now'],
  ['OMNIX_SECRET', '| `OMNIX_SECRET` | master secret: key hashing', 'now'],
  ['encrypted credentials', 'encryption of stored credentials', 4],
  ['cookies', 'stored credentials, cookies', 8],
  ['generated secret', 'generated into the data directory', 'now'],
  ['secret with DATABASE_URL', 'required when `DATABASE_URL` is set', 'now'],
  ['DATABASE_URL', '| `DATABASE_URL` | Postgres (any)', 'now'],
  ['Postgres on Workers', 'Neon on Workers', 'now'],
  ['Redis', '| `REDIS_URL`, or `UPSTASH_REDIS_REST_URL`', 5, 'refused'],
  ['OMNIX_WORKERS', '| `OMNIX_WORKERS` | serving processes to run', 5, 'refused'],
  ['Stripe', '| `STRIPE_SECRET_KEY`, `STRIPE_WEBHOOK_SECRET`', 5, 'refused'],
  ['S3', '| `S3_ENDPOINT`, `S3_BUCKET`', 7, 'refused'],
  ['OMNIX_EGRESS_ALLOW', '| `OMNIX_EGRESS_ALLOW` | hosts or CIDRs that upstream base URLs', 'now'],
  ['egress of webhooks and media', 'webhooks and media fetches may reach', 7],
  ['loopback', "loopback allowed only for `base_url` in the operator's own config file", 'now'],
];

const CONFIG_FILE: readonly Row[] = [
  ['provider names', "a name of the operator's choosing: one credential + place", 'now'],
  ['provider types', 'a provider id of src/providers; default: the name itself', 'now'],
  ['base_url', "what the provider's official SDK takes as its base URL", 'now'],
  ['api_key and api_keys', 'api_key: ${OPENAI_API_KEY}     # or api_keys: [..]', 'now'],
  ['place of a provider', 'also: project, account (where the provider has them)', 'now'],
  ['timeout_ms and headers', 'timeout_ms, headers, rpm, tpm, weight', 'now'],
  ['rpm and tpm of a provider', 'headers, rpm, tpm,', 5, 'refused'],
  ['weight of a provider', 'rpm, tpm, weight,', 4, 'refused'],
  ['priority', 'priority (default 0, larger first, strict', 'now'],
  ['public ids', 'public id; built-in catalog models need no entry', 'now'],
  ['endpoints', '{ provider: openai-eu, model: gpt-4o-mini, price:', 'now'],
  ['price of the catalog', '{ provider: azure-eastus2, model: my-deployment }', 'now'],
  ['aliases', 'an ordered fallback chain', 'now'],
  ['prices', 'Prices are decimal strings, US dollars per million tokens', 'now'],
  ['prices per unit', 'or per unit (`image`, `second`, `character`, `request`)', 'now'],
  ['tiers', 'with tiers where the host has them', 'now'],
  ['parent of a bucket', 'A missing bucket falls back to its parent', 'now'],
  ['limits', 'Models and endpoints also take `context`, `max_output`', 'now'],
  ['capabilities of a model', '`max_output`, `capabilities`.', 'now'],
  ['capabilities of an endpoint', '`max_output`, `capabilities`.', 4, 'refused'],
  ['no price', 'An endpoint without a price, neither', 'now'],
  ['unknown fields', 'Unknown fields are refused, by name and line.', 'now'],
  ['importers', 'Importers: `omnix import litellm config.yaml`', 9],
];

const KEYS: readonly Row[] = [
  ['one extractor', '`x-goog-api-key` are one extractor', 'now'],
  ['forms of keys', 'Inference keys `sk-omx-live-...` / `sk-omx-test-...`', 'now'],
  ['management keys', 'management keys `sk-omx-mgmt-...` (never inference)', 'now'],
  ['mistyped keys', '(a mistyped key is refused without a database', 'now'],
  ['keyed HMAC', 'stored only as keyed HMAC, shown once', 'now'],
  ['test keys', 'Test-mode keys reach only `sandbox/*` models and never spend.', 'now'],
  ['POST /v1/keys', '`POST /v1/keys` (management) `{name, limit?', 'now'],
  ['limit_reset', 'limit_reset?: daily|weekly|monthly|null', 5, 'refused'],
  ['expires_at', 'expires_at?, models?, providers?', 'now'],
  ['models and providers', 'models?, providers?, rpm?', 'now'],
  ['rpm and tpm', 'rpm?, tpm?, max_concurrency?', 5, 'refused'],
  ['project_id', 'project_id?}` ->', 8, 'refused'],
  ['GET PATCH DELETE /v1/keys', '`GET/PATCH/DELETE /v1/keys/{hash}`', 'now'],
  ['hash', "`hash` is the key's id `key_...`, not derived from the key", 'now'],
  ['rotation', '`POST /v1/keys/{hash}/rotate {overlap_seconds}`', 'now'],
  ['GET /v1/key', '`GET /v1/key` -> `{data: {label, limit, limit_remaining', 'now'],
  ['amounts', 'as OpenRouter names them, amounts in dollars', 'now'],
  ['GET /v1/credits', '`GET /v1/credits` -> `{data: {total_credits', 'now'],
  ['grants', '`POST /v1/credits/grants` (management) `{amount_usd, reason', 'now'],
  ['expiry of a grant', 'reason, expires_at?}`', 5, 'refused'],
  ['later fields', 'whose step has not come yet gets a 400 that names it', 'now'],
  ['usage and costs', 'usage, costs and audit logs follow', 5],
  ['organization', "follow OpenAI's admin API under `/v1/organization/...`", 8],
];

const ANSWERS: readonly Row[] = [
  ['x-request-id', 'Every answer: `x-request-id: req_...`', 'now'],
  ['x-generation-id', '`x-generation-id: gen_...` where something was generated', 'now'],
  ['x-ratelimit', "the `x-ratelimit-*` set in OpenAI's form", 5],
  ['openai-processing-ms', '`openai-processing-ms`.', 'now'],
  ['nothing of the upstream', 'keys, hosts or org ids.', 'now'],
  ['usage', '`usage` is always complete, in the body and in the last stream chunk', 'now'],
  ['cost', 'with `cost` (US dollars, a number) and `cost_details`', 'now'],
  ['provider', '`provider` names who served', 'now'],
  ['warnings', '`warnings` lists settings that were dropped or emulated', 'now'],
  ['receipt', '`GET /v1/generation?id=gen_...`: the receipt', 'now'],
  ['receipt in time', 'Within 1 s of the end it shows', 'now'],
  ['arithmetic', 'date), the arithmetic, total cost', 'now'],
  ['cancelled and streamed', "finish reason (ours and the upstream's), cancelled, streamed", 'now'],
  ['x-omnix-explain', '`x-omnix-explain: 1` on a request adds', 4, 'refused'],
  ['x-omnix-max-cost', '`x-omnix-max-cost: 0.01` refuses (402', 'now'],
  ['POST /v1/estimate', '`POST /v1/estimate` prices any request body', 'now'],
  ['Idempotency-Key', '`Idempotency-Key` works on every POST', 'now'],
  ['another body', 'the same key with another body is 409', 'now'],
  ['concurrent twin', 'a concurrent twin waits or gets 409', 'now'],
  ['lab alias', '`<lab>/<model>` is an alias of the public id', 'now'],
  ['provider pin', '`<configured provider>/<model>` pins to that provider only where', 'now'],
  ['provider.only', 'the sure pin is `provider.only`', 4, 'refused'],
  ['slashes', 'Model ids may hold slashes, raw or as %2F.', 'now'],
  ['fallbacks', '`models: [...]` (fallbacks)', 'now'],
  ['require_parameters', 'allow_fallbacks, require_parameters, sort', 'now'],
  ['provider preferences', '`provider: {order, only, ignore, allow_fallbacks', 4, 'refused'],
  ['suffixes', 'suffixes `:floor` and `:nitro`.', 4, 'refused'],
  ['taken out', 'They are taken out before the upstream sees the body.', 'now'],
  ['no host in a request', 'No field of a request can set a host, a URL base', 'now'],
  ['forgiving paths', 'Paths are forgiving: `/v1/v1/...`, a doubled slash', 'now'],
  ['path warning', 'with a `warning` header that tells how it should read', 'now'],
  ['GET /v1/models', '`GET /v1/models` lists what this key can use now', 'now'],
  ['whole catalog', '`?available=all` the whole catalog, each with `available`', 'now'],
];

const ROWS: Readonly<Record<Section, readonly Row[]>> = {
  Names: NAMES,
  Starting: STARTING,
  'Config file': CONFIG_FILE,
  'Keys and callers': KEYS,
  Answers: ANSWERS,
};

export const STATEMENTS: readonly Statement[] = SECTIONS.flatMap((section) =>
  ROWS[section].map(([name, words, state, refused]) => ({
    section,
    name,
    words,
    state,
    refused: refused !== undefined,
  })),
);
