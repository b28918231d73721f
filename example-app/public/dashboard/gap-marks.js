// @ts-check
import { canvasColour } from './colours.js';

const STRIPE_PX = 7;

/**
 * Hatches periods in which less was recorded, behind the data.
 *
 * @param {import('../uplot.js').default} plot
 * @param {HTMLElement} host
 * @param {readonly import('./statistics-gaps.js').Gap[]} gaps
 */
export function drawGaps(plot, host, gaps) {
  const { ctx, bbox } = plot;
  const [min, max] = [plot.scales['x']?.min ?? 0, plot.scales['x']?.max ?? 0];
  for (const { from, to } of gaps) {
    const left = plot.valToPos(Math.max(min, from / 1000), 'x', true);
    const right = plot.valToPos(Math.min(max, to / 1000), 'x', true);
    // Minimum width, so that a short period is visible.
    const width = Math.max(2 * devicePixelRatio, right - left);
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, bbox.top, width, bbox.height);
    ctx.clip();
    ctx.fillStyle = canvasColour(host, '--gap-back');
    ctx.fillRect(left, bbox.top, width, bbox.height);
    ctx.strokeStyle = canvasColour(host, '--gap-line');
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    for (let at = left - bbox.height; at < left + width; at += STRIPE_PX * devicePixelRatio) {
      ctx.moveTo(at, bbox.top + bbox.height);
      ctx.lineTo(at + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }
}
