// Draws SVG: stacked bars, lines, and a map of coloured fields. Every plot is redrawn for the width
// that it gets, so that text keeps its size on a phone; each has a title, a description for those
// who cannot see it, and its figures as a table.
"use strict";

// SVG's name space as the browser knows it, so that the page holds no address at all.
const SVG = (() => {
  const holder = document.createElement("div");
  holder.innerHTML = "<svg></svg>";
  return holder.firstChild.namespaceURI;
})();
const COLOURS = ["var(--c0)", "var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)", "var(--c5)"];
const DASHES = ["", "7 4", "2 3", "9 3 2 3", "4 4", "12 3"];
const colour = (i) => COLOURS[i % COLOURS.length];

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// 1234.5 -> "1,230"; three digits that matter.
function short(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1000) return Math.round(Number(value.toPrecision(3))).toLocaleString("en");
  if (size >= 100) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 0.01) return value.toFixed(2);
  return value.toExponential(1);
}

// A place on an axis: a round number, with no more digits than it has.
function mark(value) {
  const round = Number(value.toPrecision(6));
  return round !== 0 && Math.abs(round) < 1e-4 ? round.toExponential() : round.toLocaleString("en", { maximumFractionDigits: 9 });
}

function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 999.5 && unit + 1 < units.length) {
    value /= 1000;
    ++unit;
  }
  return `${short(value)} ${units[unit]}`;
}

// Steps of 1, 2 or 5 times a power of ten, about `count` of them.
function ticks(low, high, count) {
  if (!(high > low)) high = low + (Math.abs(low) || 1);
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  const values = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) values.push(i * step);
  return values;
}

// A swatch with the colour, and the dashes where lines have them. Names are texts, or { name, colour,
// dash }.
function legend(names, dashed) {
  const items = names.map((given, i) => {
    const { name, colour: ink, dash } = typeof given === "string" ? { name: given, colour: colour(i), dash: DASHES[i % DASHES.length] } : given;
    const swatch = drawn("svg", { viewBox: "0 0 24 12", "aria-hidden": "true" },
      dashed
        ? drawn("line", { x1: 0, x2: 24, y1: 6, y2: 6, stroke: ink, "stroke-width": 3, "stroke-dasharray": dash })
        : drawn("rect", { width: 24, height: 12, fill: ink }));
    return element("li", {}, swatch, name);
  });
  return element("ul", { class: "legend" }, ...items);
}

function table(caption, head, rows) {
  const cell = (kind) => (text) => element(kind, kind === "th" ? { scope: "col" } : {}, String(text));
  const body = rows.map((row) => element("tr", {},
    element("th", { scope: "row" }, String(row[0])), ...row.slice(1).map(cell("td"))));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    element("table", {}, element("caption", {}, element("span", {}, caption)),
      element("thead", {}, element("tr", {}, ...head.map(cell("th")))), element("tbody", {}, ...body)));
}

let plots = 0;
const redraws = [];
// Draws every plot again, for the data or settings that changed.
function redrawAll() {
  for (const again of redraws) again();
}

// `draw(width)` returns { height, parts }. The figures stand below, folded.
function plot({ title, note, says, names, dashed, figures, draw }) {
  const id = `plot-${++plots}`;
  const svg = drawn("svg", { role: "img", "aria-labelledby": `${id}-title ${id}-desc` });
  const figure = element("figure", {}, ...(names ? [legend(names, dashed)] : []), svg);
  if (note) figure.append(element("figcaption", {}, note));
  const redraw = (width) => {
    const { height, parts } = draw(width);
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("font-size", 13);
    svg.replaceChildren(drawn("title", { id: `${id}-title` }, title), drawn("desc", { id: `${id}-desc` }, says), ...parts);
  };
  let last = 0;
  redraws.push(() => { if (last > 0) redraw(last); });
  new ResizeObserver((entries) => {
    const width = Math.max(280, Math.round(entries[0].contentRect.width));
    // In the next frame: a new height within this one would be observed again at once.
    if (width !== last) requestAnimationFrame(() => redraw((last = width)));
  }).observe(figure);
  return element("section", {}, element("h2", {}, title), figure,
    ...(figures ? [element("details", {}, element("summary", {}, "The figures"), figures)] : []));
}

// rows: [{ name, values: [..], label }], one bar each, stacked.
function stackedBars(rows, unit) {
  return (width) => {
    const left = Math.min(110, 12 + 8 * Math.max(...rows.map((row) => row.name.length)));
    const right = 12;
    const bar = 22;
    const pitch = 46;
    const top = 4;
    const sums = rows.map((row) => row.values.reduce((a, b) => a + b, 0));
    const most = Math.max(...sums, 1e-12);
    const places = ticks(0, most, width < 500 ? 4 : 7);
    const scale = (width - left - right) / Math.max(most, places[places.length - 1]);
    const bottom = top + rows.length * pitch;
    const parts = places.flatMap((place) => [
      drawn("line", { class: "grid", x1: left + place * scale, x2: left + place * scale, y1: top, y2: bottom }),
      drawn("text", { class: "tick", x: left + place * scale, y: bottom + 16, "text-anchor": "middle", "font-size": 12 }, mark(place))]);
    rows.forEach((row, i) => {
      const y = top + i * pitch;
      let x = left;
      parts.push(drawn("text", { x: left - 8, y: y + 16, "text-anchor": "end" }, row.name));
      row.values.forEach((value, part) => {
        if (value <= 0) return;
        parts.push(drawn("rect", { x, y, width: value * scale, height: bar, fill: colour(part) },
          drawn("title", {}, `${row.name}, ${row.parts[part]}: ${short(value)} ${unit}`)));
        x += value * scale;
      });
      parts.push(drawn("text", { class: "tick", x: left, y: y + bar + 14, "font-size": 12 }, row.label));
    });
    parts.push(drawn("text", { class: "tick", x: width - right, y: bottom + 32, "text-anchor": "end", "font-size": 12 }, unit));
    return { height: bottom + 38, parts };
  };
}

// The least and the largest of numbers, however many.
function extent(values) {
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
}

// Powers of ten and round multiples of them, fewer the more decades there are.
function logTicks(low, high) {
  const decades = Math.log10(high / low);
  const factors = decades > 3 ? [1] : decades > 1 ? [1, 2, 5] : [1, 2, 3, 4, 5, 7];
  const values = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); ++power)
    values.push(...factors.map((factor) => factor * 10 ** power));
  const inside = values.filter((value) => value >= low * 0.999 && value <= high * 1.001);
  return inside.length > 1 ? inside : [low, high].map((value) => Number(value.toPrecision(3)));
}

// Of places on the screen those that can be told apart: of many in a column of pixels the first, the
// highest, the lowest and the last.
function thinned(places) {
  const kept = [];
  for (let i = 0; i < places.length;) {
    let end = i;
    while (end < places.length && Math.floor(places[end][0]) === Math.floor(places[i][0])) ++end;
    const column = places.slice(i, end);
    if (column.length <= 4) {
      kept.push(...column);
    } else {
      const [low, high] = extent(column.map((place) => place[1]));
      const inner = [column.find((place) => place[1] === low), column.find((place) => place[1] === high)];
      kept.push(column[0], ...inner.sort((a, b) => a[0] - b[0]), column[column.length - 1]);
    }
    i = end;
  }
  return kept;
}

// Points without a number part a curve; `fits` says which y have a place.
function unbroken(points, fits) {
  const pieces = [[]];
  for (const point of points) {
    if (point[1] !== null && fits(point[1])) pieces[pieces.length - 1].push(point);
    else if (pieces[pieces.length - 1].length > 0) pieces.push([]);
  }
  return pieces.filter((piece) => piece.length > 0);
}

// series: [{ name, points: [[x, y], ..] }], where y may be null, and may choose their colour, dash,
// dots, and faint; options: xLabel, yLabel, logX, logY, fromZero, overlaid, dots, anyX (x need not
// be whole).
function lines(series, options) {
  return (width) => {
    const height = Math.round(Math.min(380, Math.max(240, width * 0.45)));
    const [left, right, top, bottom] = [52, 14, 22, 42];
    const fits = options.logY ? (y) => y > 0 : () => true;
    const all = series.flatMap((line) => line.points).filter((point) => point[1] !== null && fits(point[1]));
    const toX = options.logX ? Math.log2 : (x) => x;
    const toY = options.logY ? Math.log10 : (y) => y;
    if (all.length === 0) return { height: 40, parts: [drawn("text", { class: "tick", x: 0, y: 20, "font-size": 12 }, "no numbers to draw")] };
    const [x0, x1] = extent(all.map((point) => toX(point[0])));
    let [y0, y1] = extent(all.map((point) => point[1]));
    if (options.fromZero) y0 = 0;
    if (y1 - y0 < Math.abs(y1) * 1e-6) { y0 -= Math.abs(y1) * 0.05 || 1; y1 += Math.abs(y1) * 0.05 || 1; }
    const px = (x) => left + ((toX(x) - x0) / (x1 - x0 || 1)) * (width - left - right);
    const py = (y) => height - bottom - ((toY(y) - toY(y0)) / (toY(y1) - toY(y0))) * (height - top - bottom);
    const parts = [];
    for (const y of options.logY ? logTicks(y0, y1) : ticks(y0, y1, 5)) {
      parts.push(drawn("line", { class: "grid", x1: left, x2: width - right, y1: py(y), y2: py(y) }),
        drawn("text", { class: "tick", x: left - 6, y: py(y) + 4, "text-anchor": "end", "font-size": 12 }, mark(y)));
    }
    const given = [...new Set(all.map((point) => point[0]))].sort((a, b) => a - b);
    const places = options.logX ? given : ticks(x0, x1, width < 500 ? 4 : 8).filter((x) => options.anyX || Number.isInteger(x));
    let end = -Infinity;
    for (const x of places) {
      const text = mark(x);
      const half = text.length * 3.6 + 4;
      const at = px(x);
      if (at - half < end) continue;
      end = at + half;
      parts.push(drawn("text", { class: "tick", x: at, y: height - bottom + 17, "text-anchor": "middle", "font-size": 12 }, text));
    }
    parts.push(drawn("text", { class: "tick", x: width - right, y: height - 6, "text-anchor": "end", "font-size": 12 }, options.xLabel),
      drawn("text", { class: "tick", x: 0, y: 12, "font-size": 12 }, options.yLabel));
    series.forEach((line, i) => {
      const ink = line.colour || colour(i);
      const dash = line.dash !== undefined ? line.dash : line.faint || i === 0 ? "" : DASHES[i % DASHES.length];
      // Curves that lie on each other stay visible: earlier ones are wider.
      const wide = line.faint ? 1 : 2 + 2 * (series.length - 1 - i) * (options.overlaid ? 1 : 0);
      for (const piece of unbroken(line.points, fits)) {
        const places = thinned(piece.map(([x, y]) => [px(x), py(y)]));
        parts.push(drawn("polyline", { points: places.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" "), fill: "none", stroke: ink, "stroke-opacity": line.faint ? 0.3 : 1, "stroke-width": wide, "stroke-dasharray": dash, "stroke-linejoin": "round" },
          drawn("title", {}, line.name)));
        if (options.dots || line.dots) for (const [x, y] of piece) parts.push(drawn("circle", { cx: px(x), cy: py(y), r: 3, fill: ink }, drawn("title", {}, `${line.name}, ${short(x)}: ${short(y)}`)));
      }
    });
    return { height, parts };
  };
}

// fields[row][column] = index of a name, with a text; rowNames from bottom to top.
function map(fields, texts, columnNames, rowNames, options) {
  return (width) => {
    const [left, right, top, bottom] = [58, 8, 22, 42];
    const pitch = 34;
    const cell = (width - left - right) / columnNames.length;
    const height = top + rowNames.length * pitch + bottom;
    const parts = [drawn("text", { class: "tick", x: 0, y: 12, "font-size": 12 }, options.yLabel),
      drawn("text", { class: "tick", x: width - right, y: height - 6, "text-anchor": "end", "font-size": 12 }, options.xLabel)];
    rowNames.forEach((name, r) => {
      const y = top + (rowNames.length - 1 - r) * pitch;
      parts.push(drawn("text", { class: "tick", x: left - 6, y: y + pitch / 2 + 4, "text-anchor": "end", "font-size": 12 }, name));
      columnNames.forEach((column, c) => {
        const x = left + c * cell;
        parts.push(drawn("rect", { x: x + 1, y: y + 1, width: cell - 2, height: pitch - 2, fill: colour(fields[r][c]) },
          drawn("title", {}, texts[r][c])));
        if (options.names[fields[r][c]].length * 7.5 < cell - 4)
          parts.push(drawn("text", { x: x + cell / 2, y: y + pitch / 2 + 4, "text-anchor": "middle", "font-size": 12, style: "fill: var(--paper)" }, options.names[fields[r][c]]));
      });
    });
    let end = -Infinity;
    columnNames.forEach((name, c) => {
      const at = left + (c + 0.5) * cell;
      const half = name.length * 3.6 + 3;
      if (at - half < end) return;
      end = at + half;
      parts.push(drawn("text", { class: "tick", x: at, y: height - bottom + 17, "text-anchor": "middle", "font-size": 12 }, name));
    });
    return { height, parts };
  };
}

const report = document.getElementById("report");
const data = JSON.parse(document.getElementById("data").textContent);
