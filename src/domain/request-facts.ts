/** What a request says about itself, read once when the call starts. */
export interface RequestFacts {
  readonly model?: string | undefined;
  /** The caller asked for a stream. */
  readonly stream?: boolean | undefined;
  /** The provider works on without the connection: the reply can be fetched by its id. */
  readonly background?: boolean | undefined;
  /** End user and conversation the request names outright (`user`, `conversation`, …). */
  readonly userId?: string | undefined;
  readonly conversationId?: string | undefined;
  /** The same from fields that may hold hashes (`safety_identifier`, `prompt_cache_key`). */
  readonly opaqueUserId?: string | undefined;
  readonly opaqueConversationId?: string | undefined;
}
