// Figures are drawn when they come into view; pointing shows values, a click enlarges a panel.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const tip = document.getElementById("tip"), zoom = document.getElementById("zoom");
let reading = "corrected";

function contentOf(figure) {
  const content = DATA.figures[figure.dataset.figure];
  return content[reading] || content.corrected;
}

function swatch(slot) {
  return `<svg class="swatch" width="30" height="12" aria-hidden="true"><path class="line s-${slot}" d="M1 6L15 6L29 6"/></svg>`;
}

function legend(panels) {
  if (panels[0].values) return `<li>PQ Index ${colourBar(panels[0].limits)}</li>`;
  const found = new Map(panels.flatMap(panel => (panel.curves || []).map(curve => [curve.l, curve.s])));
  const ours = found.size > 1 ? [...found].map(([label, slot]) => `<li>${swatch(slot)}${escaped(label)}</li>`) : [];
  const pale = `<li><svg class="swatch" width="30" height="12" aria-hidden="true"><path class="pale any" d="M1 6H29"/></svg>` +
    "published (pale)</li>";
  return [...ours, ...(panels.some(panel => (panel.published || []).length) ? [pale] : [])].join("");
}

function describe(panel) {
  const what = panel.values ? "PQ Index over p and q" : `${panel.yl} against ${panel.xl}`;
  return `${panel.title ? panel.title + ": " : ""}${what}`;
}

function draw(figure) {
  const content = contentOf(figure), panels = figure.querySelector(".panels");
  figure.querySelector(".legend").innerHTML = legend(content.panels);
  figure.querySelector(".command code").textContent = content.command;
  figure.querySelector(".notes").innerHTML = content.notes.map(note => `<li>${escaped(note)}</li>`).join("");
  panels.style.setProperty("--columns", Math.min(+figure.dataset.columns || 4, content.columns));
  panels.replaceChildren(...content.panels.map((panel, index) => {
    const box = document.createElement("button");
    box.className = "panel";
    if (panel.place) box.style.cssText = `--row: ${panel.place[0] + 1}; --column: ${panel.place[1] + 1}`;
    box.setAttribute("aria-label", `Enlarge. ${describe(panel)}`);
    box.onclick = () => enlarge(content, index);
    return box;
  }));
  [...panels.children].forEach((box, index) => fill(box, content.panels[index], box.clientWidth, +figure.dataset.height || 210));
  figure.dataset.drawn = reading;
}

function fill(box, panel, width, height) {
  const result = drawn(panel, width, height);
  box.innerHTML = `<svg role="img" aria-label="${escaped(describe(panel))}" viewBox="0 0 ${width} ${height}">${result.markup}</svg>`;
  box.shown = {panel, ...result};
  box.onpointermove = event => point(box, event);
  box.onpointerleave = () => leave(box);
}

function point(box, event) {
  const area = box.firstChild.getBoundingClientRect(), shown = box.shown, scale = shown.frame.width / area.width;
  const [x, y] = [(event.clientX - area.left) * scale, (event.clientY - area.top) * scale];
  const lines = shown.cell ? cellLines(shown, x, y) : curveLines(box, x, y);
  if (!lines) return leave(box);
  tip.innerHTML = lines;
  tip.hidden = false;
  const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const top = event.clientY + 16 + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 12 : event.clientY + 16;
  tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
  (box.closest("dialog") || document.body).append(tip);
}

function cellLines(shown, x, y) {
  const [i, j] = shown.cell(x, y), value = shown.panel.values[i]?.[j];
  return value === undefined || value === null ? "" :
    `<b>p=${shown.panel.p[i].toFixed(1)}, q=${shown.panel.q[j].toFixed(1)}</b><div>PQ Index ${value}</div>`;
}

function curveLines(box, x, y) {
  const all = box.shown.near.flatMap(({points}) => points);
  if (!all.length) return "";
  const distance = p => box.shown.panel.x2d ? Math.hypot(p.px - x, p.py - y) : Math.abs(p.px - x) + 0.01 * Math.abs(p.py - y);
  const best = all.reduce((a, b) => distance(b) < distance(a) ? b : a);
  for (const other of box.parentNode.querySelectorAll(".panel, .large")) ring(other, best.t);
  const rows = box.shown.near.flatMap(({curve, points}) => {
    const p = points.find(candidate => candidate.t === best.t);
    if (!p) return [];
    const at = box.shown.panel.x2d ? ` at ${short(p.x, 3)} %` : "";
    const error = p.e ? ` ± ${short(p.e, 2)}` : "";
    return [`<tr><td>${swatch(curve.s)}${escaped(curve.l)}<td>${short(p.y, 4)}${error}${at}`];
  });
  return `<b>Iteration ${best.t}</b><table>${rows.join("")}</table>`;
}

const short = (value, digits) => String(+value.toPrecision(digits));

function ring(box, t) {
  if (!box.shown?.near) return;
  const found = box.shown.near.flatMap(({curve, points}) => points.filter(p => p.t === t).map(p => [curve.s, p]));
  box.querySelector(".rings").innerHTML =
    found.map(([slot, p]) => `<circle class="ring s-${slot}" cx="${p.px}" cy="${p.py}" r="4.5"/>`).join("");
}

function leave(box) {
  tip.hidden = true;
  for (const rings of box.parentNode.querySelectorAll(".rings")) rings.innerHTML = "";
}

function enlarge(content, index) {
  const panel = content.panels[index], box = zoom.querySelector(".large");
  zoom.querySelector("h2").textContent = content.heading;
  zoom.querySelector(".legend").innerHTML = legend([panel]);
  zoom.querySelector("p").textContent = content.caption;
  zoom.showModal();
  const width = box.clientWidth;
  fill(box, panel, width, Math.max(260, Math.min(0.62 * width, innerHeight - 260)));
}

zoom.onclick = event => { if (event.target === zoom || event.target.closest(".close")) zoom.close(); };
zoom.onclose = () => { tip.hidden = true; document.body.append(tip); };

const figures = [...document.querySelectorAll("figure[data-figure]")];
const watcher = new IntersectionObserver(entries => {
  for (const {isIntersecting, target} of entries) if (isIntersecting && target.dataset.drawn !== reading) draw(target);
}, {rootMargin: "400px"});
figures.forEach(figure => watcher.observe(figure));

// What is far from the window is drawn one by one when the page is at rest: for screenshots and searching.
function drawRest() {
  const next = figures.find(figure => figure.clientWidth > 0 && figure.dataset.drawn !== reading);
  if (next) { draw(next); setTimeout(drawRest); }
}
addEventListener("load", drawRest);

function redraw() {
  for (const figure of figures) {
    delete figure.dataset.drawn;
    watcher.unobserve(figure);
    watcher.observe(figure);
  }
}

let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; redraw(); } });
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach(details => { details.open = true; });
  figures.forEach(draw);
});

for (const button of document.querySelectorAll("[data-reading]")) {
  button.onclick = () => {
    reading = button.dataset.reading;
    document.querySelectorAll("[data-reading]").forEach(b => b.setAttribute("aria-pressed", String(b === button)));
    redraw();
  };
}

for (const button of document.querySelectorAll("button.copy")) {
  button.onclick = async () => {
    await navigator.clipboard.writeText(button.previousElementSibling.textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
}

function openTarget() {
  let element = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (; element; element = element.parentElement) if (element.tagName === "DETAILS") element.open = true;
}
addEventListener("hashchange", openTarget);
openTarget();
