export { countChat, countMessageTokens } from './chat.ts';
export { countCompletion } from './completion.ts';
export { countTokens } from './count.ts';
export { encodingForModel } from './models.ts';
export type { CountMessagesOptions } from './chat.ts';
export type { CompletionOutput, CompletionToolCall } from './completion.ts';
export type { ModelEncoding } from './models.ts';
export type { Quality } from './quality.ts';
export type { PartCount, PartName, TokenCount } from './tally.ts';
