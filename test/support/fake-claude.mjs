// Speaks the protocol of Claude Code with the SDK: JSON by line on its input and output. What it says is in the
// environment, as a list of parts.
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const script = JSON.parse(process.env.FAKE_CLAUDE_SCRIPT);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
const answers = new Map();
const questions = [];
let wanted = () => undefined;

async function listen() {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) return wanted(undefined);
    const message = JSON.parse(value);
    if (message.type === 'control_request') {
      const { request_id, request } = message;
      if (request.subtype === 'interrupt') process.exit(0);
      const response = { commands: [], models: [], account: {}, output_style: 'default' };
      say({
        type: 'control_response',
        response: { subtype: 'success', request_id, response },
      });
    } else if (message.type === 'control_response') {
      answers.get(message.response.request_id)?.(message.response.response);
    } else if (message.type === 'user') {
      questions.push(message);
      wanted();
    }
  }
}

const question = () =>
  new Promise((resolve) => {
    wanted = () => resolve(questions.shift());
    if (questions.length > 0) wanted();
  });

let asked = 0;
function callServer(server_name, message) {
  asked += 1;
  const request_id = `request-${asked}`;
  return new Promise((resolve) => {
    answers.set(request_id, resolve);
    say({
      type: 'control_request',
      request_id,
      request: { subtype: 'mcp_message', server_name, message: { jsonrpc: '2.0', ...message } },
    });
  });
}

void listen();
if (process.env.FAKE_CLAUDE_ENVIRONMENT !== undefined) {
  appendFileSync(process.env.FAKE_CLAUDE_ENVIRONMENT, `${JSON.stringify(process.env)}\n`);
}
for (const part of script) {
  if (part.question) {
    if ((await question()) === undefined) break;
  } else if (part.say) say(part.say);
  else if (part.tool) {
    const { server, name, input, id } = part.tool;
    const clientInfo = { name: 'claude-code', version: '2' };
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo };
    await callServer(server, { id: 0, method: 'initialize', params });
    const _meta = id === undefined ? {} : { 'claudecode/toolUseId': id };
    await callServer(server, {
      id: asked,
      method: 'tools/call',
      params: { name, arguments: input, _meta },
    });
  } else if (part.exit !== undefined) process.exit(part.exit);
}
// The SDK closes the input when it is done.
while ((await question()) !== undefined);
process.exit(0);
