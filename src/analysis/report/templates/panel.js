// One panel as SVG: curves with bands, or the PQ Index over (p, q) as a grid of cells.
"use strict";

const escaped = text => text.replace(/[&<>"]/g, sign => ({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})[sign]);
const round = value => Math.round(value * 10) / 10;
const xs = curve => curve.x || curve.t || curve.y.map((_, index) => index);
const ts = curve => curve.t || curve.y.map((_, index) => index);
const visible = (panel, axis, value) => value !== null && (panel.log !== axis || value > 0);

// The room on the left is that of the longest number of the y axis, beside the axis's name.
function frameOf(width, height, panel) {
  const frame = {left: 46, right: width - 8, top: panel.title ? 24 : 8, bottom: height - 36, width, height};
  const {ticks, label} = scalesOf(panel, frame).y;
  return {...frame, left: 26 + 6.6 * Math.max(3, ...ticks.map(value => label(value).length))};
}

function scalesOf(panel, frame) {
  const all = [...panel.curves, ...(panel.published || [])];
  const x = all.flatMap(xs).filter(value => value !== null);
  const y = all.flatMap(c => c.y.flatMap((v, i) => v === null ? [] : [v - (c.e ? c.e[i] : 0), v + (c.e ? c.e[i] : 0)]));
  const across = [frame.left, frame.right], up = [frame.bottom, frame.top];
  const whole = panel.xl === "Iteration" ? 1 : 0;
  const ends = values => padded(Math.min(...values), Math.max(...values));
  return {
    x: panel.log === "x" ? logScale(logPadded(panel.xlim || x), across) : linearScale(ends(x), across, 45, whole),
    y: panel.log === "y" ? logScale(logPadded(all.flatMap(c => c.y)), up) : linearScale(panel.limits || ends(y), up, 24),
  };
}

function axes(panel, frame, scales) {
  const middle = (frame.top + frame.bottom) / 2;
  const marks = [
    ...scales.y.ticks.map(v => {
      const y = round(scales.y.at(v));
      return `<path class="grid" d="M${frame.left} ${y}H${frame.right}"/>` +
        `<text class="tick" x="${frame.left - 5}" y="${y + 3.5}" text-anchor="end">${scales.y.label(v)}</text>`;
    }),
    ...scales.x.ticks.map(v => {
      const x = round(scales.x.at(v));
      return `<path class="grid" d="M${x} ${frame.top}V${frame.bottom}"/>` +
        `<text class="tick" x="${x}" y="${frame.bottom + 14}" text-anchor="middle">${scales.x.label(v)}</text>`;
    }),
  ];
  const centre = (frame.left + frame.right) / 2, letters = panel.yl.length;
  const size = Math.min(12, (frame.height - 4) / (0.62 * letters)), half = 0.31 * size * letters + 2;
  const along = Math.min(Math.max(middle, half), frame.height - half);  // a long name in a low panel is seen whole
  return marks.join("") +
    `<path class="axis" d="M${frame.left} ${frame.top}V${frame.bottom}H${frame.right}"/>` +
    `<text class="label" x="${centre}" y="${frame.height - 5}" text-anchor="middle">${escaped(panel.xl)}</text>` +
    `<text class="label" style="font-size: ${round(size)}px" transform="translate(11 ${round(along)}) rotate(-90)" ` +
    `text-anchor="middle">${escaped(panel.yl)}</text>` +
    titleOf(panel, centre);
}

function titleOf(panel, centre) {
  return panel.title ? `<text class="title" x="${centre}" y="14" text-anchor="middle">${escaped(panel.title)}</text>` : "";
}

function points(panel, curve, scales) {
  return xs(curve).map((x, i) => ({x, y: curve.y[i], e: curve.e ? curve.e[i] : 0, t: ts(curve)[i]}))
    .filter(p => visible(panel, "x", p.x) && visible(panel, "y", p.y))
    .map(p => ({...p, px: round(scales.x.at(p.x)), py: round(scales.y.at(p.y))}));
}

function band(panel, found, scales, low) {
  if (!found.some(p => p.e > 0)) return "";
  const edge = sign => found.map(p => {
    const y = p.y + sign * p.e * (panel.bars ?? 1);
    return `${p.px} ${round(panel.log === "y" && y <= 0 ? low : scales.y.at(y))}`;
  });
  return `M${edge(1).join("L")}L${edge(-1).reverse().join("L")}Z`;
}

function curveMarkup(panel, curve, scales, frame, pale) {
  const found = points(panel, curve, scales);
  if (!found.length) return "";
  const line = `M${found.map(p => `${p.px} ${p.py}`).join("L")}`;
  if (pale) return `<path class="pale s-${curve.s}" d="${line}"/>`;
  return `<path class="band s-${curve.s}" d="${band(panel, found, scales, frame.bottom)}"/>` +
    `<path class="line s-${curve.s}" d="${line}"/>`;
}

let clips = 0;

function curvePanel(panel, width, height) {
  const frame = frameOf(width, height, panel), scales = scalesOf(panel, frame), clip = `clip${clips++}`;
  const pale = (panel.published || []).map(curve => curveMarkup(panel, curve, scales, frame, true));
  const ours = panel.curves.map(curve => curveMarkup(panel, curve, scales, frame, false));
  const box = `x="${frame.left - 4}" y="${frame.top - 4}" width="${frame.right - frame.left + 8}" ` +
    `height="${frame.bottom - frame.top + 8}"`;
  const markup = `<clipPath id="${clip}"><rect ${box}/></clipPath>${axes(panel, frame, scales)}` +
    `<g clip-path="url(#${clip})">${pale.join("")}${ours.join("")}</g><g class="rings"></g>`;
  return {markup, frame, near: panel.curves.map(curve => ({curve, points: points(panel, curve, scales)}))};
}

let bars = 0;

// A scale of colours, which follow the root of the value so that small ones differ as well.
function colourBar([low, high]) {
  const id = `heat${bars++}`;  // of its own: one in a closed part of the page would not be drawn
  const stops = DATA.colours.map((colour, i) => `<stop offset="${i / (DATA.colours.length - 1)}" stop-color="${colour}"/>`);
  const marks = [0, 0.25, 0.5, 0.75, 1].map(at => {
    const value = low + at * at * (high - low), x = 10 + 200 * at;
    return `<path class="axis" d="M${x} 12V16"/><text class="tick" x="${x}" y="27" text-anchor="middle">${value.toPrecision(2)}</text>`;
  });
  return `<svg width="224" height="30" role="img" aria-label="Colours of the PQ Index"><defs><linearGradient id="${id}">` +
    `${stops.join("")}</linearGradient></defs><rect x="10" y="0" width="200" height="12" fill="url(#${id})"/>${marks.join("")}</svg>`;
}

function colourOf(share) {
  const stops = DATA.colours, place = Math.max(0, Math.min(1, share)) * (stops.length - 1);
  return stops[Math.round(place)];
}

function heatPanel(panel, width, height) {
  const frame = {left: 36, right: width - 8, top: 24, bottom: height - 36, width, height};
  const [rows, columns] = [panel.p.length, panel.q.length];
  const [w, h] = [(frame.right - frame.left) / columns, (frame.bottom - frame.top) / rows];
  const [low, high] = panel.limits, cells = [];
  panel.values.forEach((row, i) => row.forEach((value, j) => {
    const fill = value === null ? "none" : colourOf(Math.sqrt((value - low) / (high - low || 1)));
    cells.push(`<rect class="cell" x="${round(frame.left + j * w)}" y="${round(frame.top + i * h)}" width="${w + 0.4}" ` +
      `height="${h + 0.4}" fill="${fill}"/>`);
  }));
  const tick = (x, y, anchor, value) =>
    `<text class="tick" x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${value.toFixed(1)}</text>`;
  const across = panel.q.map((q, j) => j % 2 ? "" : tick(frame.left + (j + 0.5) * w, frame.bottom + 14, "middle", q));
  const down = panel.p.map((p, i) => i % 3 ? "" : tick(frame.left - 5, frame.top + (i + 0.5) * h + 3.5, "end", p));
  const centre = (frame.left + frame.right) / 2, middle = (frame.top + frame.bottom) / 2;
  const labels = `<text class="label" x="${centre}" y="${height - 5}" text-anchor="middle">q</text>` +
    `<text class="label" x="8" y="${middle}" text-anchor="middle">p</text>${titleOf(panel, centre)}`;
  const markup = cells.join("") + across.join("") + down.join("") + labels + `<g class="rings"></g>`;
  return {markup, frame, cell: (x, y) => [Math.floor((y - frame.top) / h), Math.floor((x - frame.left) / w)]};
}

const drawn = (panel, width, height) => (panel.values ? heatPanel : curvePanel)(panel, width, height);
