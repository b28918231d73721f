/** What the demo model says when nobody taught it: honest, short, and in the language it was asked in. */
export function answerTo(question: string): string {
  const asked = question.replaceAll(/\s+/g, ' ').trim();
  const quoted = asked.length > 80 ? `${asked.slice(0, 79)}…` : asked;
  if (/\p{Script=Han}/u.test(asked)) {
    return `我是一个离线演示模型，不会真正思考。您刚才说的是：“${quoted}”。请设置 OPENAI_API_KEY，让真正的模型来回答；用量统计的方式完全相同。`;
  }
  return (
    `I am the offline demo model and cannot think. You said: “${quoted}”. ` +
    'Set OPENAI_API_KEY and a real model answers; usage is recorded in just the same way.'
  );
}

/** Pieces as a model would stream them: words with the space before them, or a few characters. */
export function piecesOf(text: string): readonly string[] {
  return text.match(/\s*[\p{Script=Latin}\p{N}\p{P}]+|[\s\S]{1,4}/gu) ?? [];
}
