// Scales of an axis: position of a value in pixels, and the ticks that are labelled.
"use strict";

function linearScale([low, high], [from, to], spacing, least = 0) {
  if (high === low) [low, high] = [low - 0.5, high + 0.5];
  const at = value => from + (value - low) / (high - low) * (to - from);
  const count = Math.max(2, Math.abs(to - from) / spacing);
  const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(least, power * [1, 2, 5, 10].find(factor => factor * power >= rough));
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) ticks.push(i * step);
  return {at, ticks, label: value => shortNumber(value, step)};
}

function logScale([low, high], [from, to]) {
  const [a, b] = [Math.log10(low), Math.log10(high)];
  const at = value => from + (Math.log10(value) - a) / (b - a) * (to - from);
  const stride = Math.max(1, Math.ceil((b - a) / (Math.abs(to - from) / 28)));
  const ticks = [];
  for (let decade = Math.floor(a); decade <= b; decade++) {
    const wanted = b - a < 1.4 ? [1, 2, 5] : (decade % stride === 0 ? [1] : []);
    ticks.push(...wanted.map(digit => digit * 10 ** decade).filter(value => value >= low && value <= high));
  }
  return {at, ticks, label: value => String(+value.toPrecision(1))};
}

function shortNumber(value, step) {
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return Math.abs(value) < step * 1e-6 ? "0" : value.toFixed(digits);
}

function padded(low, high) {
  const margin = 0.05 * (high - low);
  return [low - margin, high + margin];
}

function logPadded(values) {
  const low = Math.min(50, ...values.filter(value => value > 0)), room = (100 / low) ** 0.04;
  return [low / room, 100 * room];
}
