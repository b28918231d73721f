// The smallest application with an LLM client. What starts before it is the preload under test.
import OpenAI from 'openai';

export const client = new OpenAI({ apiKey: 'none', baseURL: 'http://127.0.0.1:1' });
const ready = performance.now();

// Work that a preload does in the background counts too.
setTimeout(() => {
  const { user, system } = process.cpuUsage();
  const figures = { ready, cpu: (user + system) / 1000, rss: process.memoryUsage.rss() / 1e6 };
  process.stdout.write(`${JSON.stringify(figures)}\n`, () => process.exit());
}, 500);
