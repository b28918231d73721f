/** Facts read from the request when the call starts. */
export interface RequestFacts {
  readonly model?: string | undefined;
  /** The caller asked for a stream. */
  readonly stream?: boolean | undefined;
  /** The provider works on without the connection: the reply can be fetched by its id. */
  readonly background?: boolean | undefined;
  /** What was asked for and the reply may leave out: size and quality of images. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** End user and conversation from fields that name them (`user`, `conversation` …). */
  readonly userId?: string | undefined;
  readonly conversationId?: string | undefined;
  /** The same from fields that may contain hashes (`safety_identifier`, `prompt_cache_key`). */
  readonly opaqueUserId?: string | undefined;
  readonly opaqueConversationId?: string | undefined;
}
