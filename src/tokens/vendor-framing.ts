/** What a vendor adds to the texts of a request. All of it is `estimated`: nothing is published. */
export interface VendorFraming {
  /** Once per request. */
  readonly request: number;
  /** Besides system messages. */
  readonly perMessage: number;
  readonly perSystemMessage: number;
  readonly tools: ToolFraming;
  /** A call and its result, besides name, arguments and result, and the two messages. */
  readonly perCall: number;
  /** Where thinking is switched on, as it is in DeepSeek's Responses API. */
  readonly thinking: number;
  /** For a schema of the reply, besides the schema; most do not bill it. */
  readonly schema?: number;
}

interface ToolFraming {
  /** Once per request with tools; `chosen` where the model has to call one. */
  readonly request: number;
  readonly chosen: number;
  readonly perTool: number;
  /** Tokens per token of the tool in JSON. */
  readonly scale: number;
  /** Of Gemini, whose tools are not JSON to the model: per property, besides its texts. */
  readonly perProperty?: number;
}

function framing(request: number, perMessage: number, perSystemMessage = 0): VendorFraming {
  return {
    request,
    perMessage,
    perSystemMessage,
    tools: tools(4, 1.35),
    perCall: 12,
    thinking: 0,
  };
}

function tools(request: number, scale: number, chosen = request): ToolFraming {
  return { request, chosen, perTool: 0, scale };
}

/** A system prompt for tools, by model, besides the tools; the vendor lists it for Claude 3. */
function claude(auto: number, chosen: number): VendorFraming {
  return { ...CLAUDE, tools: tools(auto, 1.3, chosen) };
}

const CLAUDE: VendorFraming = { ...framing(4, 3), perCall: 48, thinking: 29, schema: 125 };
/** Vertex bills the tools of Gemini 2.5 as the API bills those of 2.0; which one it is, is not known. */
function gemini(perMessage: number, perTool: number, perProperty: number): VendorFraming {
  const byField = { ...tools(0, 0), perTool, perProperty };
  return { ...framing(0, perMessage), tools: byField, perCall: 40 };
}
const LLAMA: VendorFraming = { ...framing(5, 5, 5), tools: tools(80, 1.35) };
const NEW_CLAUDE: VendorFraming = {
  ...CLAUDE,
  request: 5,
  tools: tools(350, 1.7, 470),
  perCall: 60,
  thinking: 0,
};

/**
 * The first expression that matches decides. Worked out from recorded calls with their bills, by the
 * median; Claude's system prompts for tools by its documentation of 2024 up to Claude 3 Haiku.
 */
const RULES: readonly (readonly [name: RegExp, framing: VendorFraming])[] = [
  [/^claude-(?:sonnet-5|opus-5|haiku-5|fable|opus-4[-.][789])/, NEW_CLAUDE],
  [/^claude-(?:(?:sonnet|opus|haiku)-4[-.][5-9]|4\.[5-9])/, claude(495, 595)],
  [/^claude-(?:sonnet-4|opus-4|3[-.]7|3[-.]5-sonnet)/, claude(318, 313)],
  [/^claude-3[-.]5-haiku|^claude-3-haiku/, claude(264, 340)],
  [/^claude-3-opus/, claude(530, 281)],
  [/^claude-3-sonnet/, claude(159, 235)],
  [/^claude/, claude(495, 595)],
  [/^(?:gemini|gemma)-(?:3|flash-latest|pro-latest)/, gemini(1, 21, 16)],
  [/^gemini-2[.]0/, { ...gemini(0, 3, 5), perCall: 0 }],
  [/^(?:gemini|gemma)/, gemini(0, 21, 10)],
  [/^deepseek/, { ...framing(2, 2), tools: tools(220, 1.1), perCall: 60, thinking: 79 }],
  [/^mistral-small/, { ...framing(13, 2, 4), tools: tools(0, 1.4), perCall: 0 }],
  [
    /^(?:open-)?(?:mistral|mixtral|magistral|ministral|pixtral|codestral|devstral)/,
    framing(1, 2, 4),
  ],
  [/^(?:qwen|qwq)/, { ...framing(4, 6, 7), tools: tools(64, 1.07), perCall: 60 }],
  [/^grok-4[-.][23]/, { ...framing(187, 5), tools: tools(22, 1.25), schema: 0 }],
  [/^grok/, { ...framing(-5, 5), tools: tools(147, 0.94), schema: 0 }],
  [/^gpt-oss/, { ...framing(62, 5, 8), tools: tools(20, 0.62), perCall: 45 }],
  [/^sonar/, framing(1, 0)],
  [/^nova-2/, { ...framing(44, 2), tools: tools(860, 1.1) }],
  [/^nova/, { ...framing(-2, 2), tools: tools(347, 1) }],
  [/^(?:meta-)?llama-?4/, LLAMA],
  [/^(?:meta-)?llama-?3[-.]?[123]|^llama-v3p[123]/, { ...LLAMA, request: 30 }],
  [/^(?:meta-)?llama/, LLAMA],
  // What Cohere bills; what its models process has a prompt of 70 to 1,400 tokens besides.
  [/^(?:command|c4ai)/, { ...framing(0, 0), tools: tools(0, 0.75), perCall: 0 }],
  [/^(?:zai-)?glm/, framing(3, 2)],
  [/^kimi/, framing(5, 3)],
];

/**
 * @param name normalised model name, as in its profile
 * @returns `undefined` for OpenAI's models and those without a recorded call
 */
export function vendorFramingOf(name: string): VendorFraming | undefined {
  const bare = name.replace(BEDROCK_PREFIX, '');
  return RULES.find(([expression]) => expression.test(bare))?.[1];
}

/** Region and vendor of a name on Amazon Bedrock. */
const BEDROCK_PREFIX = /^(?:(?:us|eu|apac|global)\.)?[a-z]+\./;
