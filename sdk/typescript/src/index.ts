/** What `@omnix/sdk` exports: the client, its errors, and the types of the API. */
export { OmniX, type EstimateQuery } from './omnix.ts';
export type { CallOptions, ClientOptions } from './options.ts';
export type { Answered, ResponseInfo } from './response-info.ts';
export type { Listing } from './listing.ts';
export { ChatStream } from './chat-stream.ts';
export type { ChatRequestStreamed, ChatRequestWhole } from './resources/chat.ts';
export type { Vector, VectorList } from './resources/embeddings.ts';
export type { KeyQuery } from './resources/keys.ts';
export type { ModelQuery } from './resources/models.ts';
export {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  ConflictError,
  InternalServerError,
  NotFoundError,
  OmniXError,
  PaymentRequiredError,
  PermissionDeniedError,
  RateLimitError,
  UnprocessableEntityError,
  type ErrorMetadata,
} from './errors.ts';
export type { ErrorCode } from './generated/operations.ts';
// oxlint-disable-next-line house/no-export-all -- The document names them, and not we.
export type * from './generated/types.ts';
