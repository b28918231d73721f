import type uPlot from 'uplot';
import type { Gap } from '../../view/statistics-gaps.ts';
import type { Note } from './chart-data.ts';
import { canvasColour } from './colours.ts';

const STRIPE_PX = 7;

/** Hatches periods in which less was recorded, behind the data. */
export function drawGaps(plot: uPlot, host: HTMLElement, gaps: readonly Gap[]): void {
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

/** A dashed line at the time of each note, over the data. */
export function drawNotes(plot: uPlot, host: HTMLElement, notes: readonly Note[]): void {
  const { ctx, bbox } = plot;
  const [min, max] = [plot.scales['x']?.min ?? 0, plot.scales['x']?.max ?? 0];
  ctx.save();
  ctx.strokeStyle = canvasColour(host, '--text');
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { time } of notes) {
    if (time / 1000 < min || time / 1000 > max) continue;
    const x = plot.valToPos(time / 1000, 'x', true);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
