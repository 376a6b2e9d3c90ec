/** Plots as SVG text: lines over an axis, and bars. Small on purpose: four plots need no library, and a report opens anywhere. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface PlotOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Logarithmic, each x of a point marked. @default false */
  readonly isLogX?: boolean | undefined;
  readonly yMin?: number | undefined;
}

const WIDTH = 640;
const HEIGHT = 300;
const LEFT = 64;
const RIGHT = 16;
const TOP = 40;
const BOTTOM = 44;
const COLOURS = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#ff7f0e'];

interface Scale {
  readonly min: number;
  readonly max: number;
  /** Where a value lies, px. */
  at(value: number): number;
}

export function plotLines(lines: readonly Line[], options: PlotOptions): string {
  const points = lines.flatMap((line) => line.points).filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  if (points.length === 0) return plotNothing(options);
  const toX = (x: number) => (options.isLogX ? Math.log10(x) : x);
  const x = scaleOf(
    points.map((point) => toX(point.x)),
    LEFT,
    WIDTH - RIGHT,
  );
  const ys = points.map((point) => point.y);
  const y = scaleOf(options.yMin === undefined ? ys : [options.yMin, ...ys], HEIGHT - BOTTOM, TOP);
  const drawn = lines.map(({ name, points }, index) => {
    if (points.length === 0) return '';
    const colour = COLOURS[index % COLOURS.length]!;
    const path = points.map((point) => `${x.at(toX(point.x)).toFixed(1)},${y.at(point.y).toFixed(1)}`).join(' ');
    const dots = points.length > 20 ? [] : path.split(' ').map((place) => dot(place, colour));
    const legend = `<text x="${LEFT + 8 + index * 130}" y="${TOP - 10}" fill="${colour}">${escapeText(name)}</text>`;
    return `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${path}"/>${dots.join('')}${legend}`;
  });
  const shownX = (value: number) => formatNumber(options.isLogX ? 10 ** value : value);
  const marksX = options.isLogX ? [...new Set(points.map((point) => toX(point.x)))] : ticks(x);
  return frame(options, [...axis(x, y, marksX, shownX), ...drawn]);
}

export function plotBars(
  bars: readonly { readonly label: string; readonly value: number }[],
  options: PlotOptions,
): string {
  if (bars.length === 0) return plotNothing(options);
  const y = scaleOf([0, ...bars.map(({ value }) => value)], HEIGHT - BOTTOM, TOP);
  const step = (WIDTH - LEFT - RIGHT) / bars.length;
  const drawn = bars.map(({ label, value }, index) => {
    const left = LEFT + index * step;
    const top = y.at(value);
    const bar = `<rect x="${(left + 1).toFixed(1)}" y="${top.toFixed(1)}" width="${(step - 2).toFixed(1)}" height="${(y.at(0) - top).toFixed(1)}" fill="${COLOURS[0]}"/>`;
    const text = `<text x="${(left + step / 2).toFixed(1)}" y="${HEIGHT - BOTTOM + 14}" text-anchor="middle">${escapeText(label)}</text>`;
    return bar + (bars.length <= 12 || index % 2 === 0 ? text : '');
  });
  return frame(options, [...yAxis(y), ...drawn]);
}

function scaleOf(values: readonly number[], from: number, to: number): Scale {
  const least = Math.min(...values);
  const most = Math.max(...values);
  const margin = most === least ? Math.max(1, Math.abs(most) * 0.1) : 0;
  const [min, max] = [least - margin, most + margin];
  return { min, max, at: (value) => from + ((value - min) / (max - min)) * (to - from) };
}

function axis(x: Scale, y: Scale, marksX: readonly number[], shownX: (value: number) => string): string[] {
  const marks = marksX.map(
    (value) =>
      `<text x="${x.at(value).toFixed(1)}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${shownX(value)}</text>`,
  );
  return [...marks, ...yAxis(y)];
}

function yAxis(y: Scale): string[] {
  return ticks(y).map((value) => {
    const at = y.at(value).toFixed(1);
    const line = `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}" stroke="#ddd"/>`;
    return `${line}<text x="${LEFT - 6}" y="${at}" dy="4" text-anchor="end">${formatNumber(value)}</text>`;
  });
}

/** Round numbers within the scale, 3 to 7 of them: multiples of 1, 2 or 5 times a power of ten. */
function ticks({ min, max }: Scale): number[] {
  const power = 10 ** Math.floor(Math.log10((max - min) / 3));
  const step = [5, 2, 1].map((digit) => digit * power).find((size) => (max - min) / size >= 3) ?? power;
  const first = Math.ceil(min / step - 1e-9);
  return Array.from({ length: Math.floor(max / step + 1e-9) - first + 1 }, (_, index) => (first + index) * step);
}

function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 1_000_000) return `${(value / 1_000_000).toFixed(1)} M`;
  if (size >= 10_000) return `${(value / 1_000).toFixed(0)} k`;
  return size >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

function dot(place: string, colour: string): string {
  const [cx, cy] = place.split(',');
  return `<circle cx="${cx}" cy="${cy}" r="3" fill="${colour}"/>`;
}

function plotNothing(options: PlotOptions): string {
  return frame(options, [`<text x="${WIDTH / 2}" y="${HEIGHT / 2}" text-anchor="middle">nothing was measured</text>`]);
}

function frame({ title, xLabel, yLabel }: PlotOptions, content: readonly string[]): string {
  return [
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeText(title)}">`,
    `<text x="${LEFT}" y="14" font-weight="bold">${escapeText(title)}</text>`,
    ...content,
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeText(xLabel)}</text>`,
    `<text transform="translate(14 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escapeText(yLabel)}</text>`,
    '</svg>',
  ].join('\n');
}

export function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
