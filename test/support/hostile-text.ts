import fc from 'fast-check';

/** Unusual and hostile names, and characters that are special in line protocol. */
const HOSTILE = [
  'a,b=c d',
  '"quoted"',
  'trailing\\',
  '\\"',
  '\\\\, \\= x',
  'x\ny',
  'x 1i 1\nllm_usage,model=evil calls=1000000i 1',
  '",calls=99i 1\nevil v=1',
  '#comment',
  '\u0000\u0007\r\t',
  '\u2028\u0085',
  '😀 界 é',
  '\ud800 lone',
  'time',
  '_field',
  'calls',
  'user_id',
  '(other)',
  '${jndi:x}',
  'constructor',
  'valueOf',
  '__proto__',
  "'; DROP MEASUREMENT llm_usage; --",
];
/** Names and values of attributes, as an attacker may choose them. */
export const hostileText = fc.oneof(
  fc.constantFrom(...HOSTILE),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }),
  fc.string({ minLength: 1, maxLength: 300 }),
);
