/** Default reply of the demo model, in the language of the question. */
export function answerTo(question: string): string {
  const asked = question.replaceAll(/\s+/g, ' ').trim();
  const quoted = asked.length > 80 ? `${asked.slice(0, 79)}…` : asked;
  if (/\p{Script=Han}/u.test(asked)) {
    return `我是离线演示模型，不具备真正的推理能力。您刚才说的是：“${quoted}”。设置 OPENAI_API_KEY 后将由真实模型回答，用量统计方式不变。`;
  }
  return (
    `I am the offline demo model and cannot think. You said: “${quoted}”. ` +
    'Set OPENAI_API_KEY to use a real model; usage is recorded in the same way.'
  );
}

/** Splits a text into stream deltas: words with their leading space, or a few characters. */
export function piecesOf(text: string): readonly string[] {
  return text.match(/\s*[\p{Script=Latin}\p{N}\p{P}]+|[\s\S]{1,4}/gu) ?? [];
}
