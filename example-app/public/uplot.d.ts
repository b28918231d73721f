// What `pages.ts` serves as /assets/uplot.js.
import uPlot from 'uplot';
export default uPlot;
