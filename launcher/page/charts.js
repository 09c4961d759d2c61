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

// A swatch with the colour, and the dashes where lines have them.
function legend(names, dashed) {
  const items = names.map((name, i) => {
    const swatch = drawn("svg", { viewBox: "0 0 24 12", "aria-hidden": "true" },
      dashed
        ? drawn("line", { x1: 0, x2: 24, y1: 6, y2: 6, stroke: colour(i), "stroke-width": 3, "stroke-dasharray": DASHES[i % DASHES.length] })
        : drawn("rect", { width: 24, height: 12, fill: colour(i) }));
    return element("li", {}, swatch, name);
  });
  return element("ul", { class: "legend" }, ...items);
}

function table(caption, head, rows) {
  const cell = (kind) => (text) => element(kind, kind === "th" ? { scope: "col" } : {}, String(text));
  const body = rows.map((row) => element("tr", {},
    element("th", { scope: "row" }, String(row[0])), ...row.slice(1).map(cell("td"))));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    element("table", {}, element("caption", {}, caption),
      element("thead", {}, element("tr", {}, ...head.map(cell("th")))), element("tbody", {}, ...body)));
}

let plots = 0;

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
    const marks = ticks(0, most, width < 500 ? 4 : 7);
    const scale = (width - left - right) / Math.max(most, marks[marks.length - 1]);
    const bottom = top + rows.length * pitch;
    const parts = marks.flatMap((mark) => [
      drawn("line", { class: "grid", x1: left + mark * scale, x2: left + mark * scale, y1: top, y2: bottom }),
      drawn("text", { class: "tick", x: left + mark * scale, y: bottom + 16, "text-anchor": "middle", "font-size": 12 }, short(mark))]);
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

// series: [{ name, points: [[x, y], ..] }]; options: xLabel, yLabel, logX, fromZero.
function lines(series, options) {
  return (width) => {
    const height = Math.round(Math.min(380, Math.max(240, width * 0.45)));
    const [left, right, top, bottom] = [52, 14, 22, 42];
    const all = series.flatMap((line) => line.points);
    const toX = options.logX ? Math.log2 : (x) => x;
    const xs = all.map((point) => toX(point[0]));
    const ys = all.map((point) => point[1]);
    const [x0, x1] = [Math.min(...xs), Math.max(...xs)];
    let [y0, y1] = [options.fromZero ? 0 : Math.min(...ys), Math.max(...ys)];
    if (y1 - y0 < Math.abs(y1) * 1e-6) { y0 -= Math.abs(y1) * 0.05 || 1; y1 += Math.abs(y1) * 0.05 || 1; }
    const px = (x) => left + ((toX(x) - x0) / (x1 - x0 || 1)) * (width - left - right);
    const py = (y) => height - bottom - ((y - y0) / (y1 - y0)) * (height - top - bottom);
    const parts = [];
    for (const mark of ticks(y0, y1, 5)) {
      parts.push(drawn("line", { class: "grid", x1: left, x2: width - right, y1: py(mark), y2: py(mark) }),
        drawn("text", { class: "tick", x: left - 6, y: py(mark) + 4, "text-anchor": "end", "font-size": 12 }, options.fromZero ? short(mark) : Number(mark.toPrecision(6)).toString()));
    }
    const given = [...new Set(all.map((point) => point[0]))].sort((a, b) => a - b);
    let marks = options.logX ? given : ticks(x0, x1, width < 500 ? 4 : 8).filter((x) => Number.isInteger(x));
    let end = -Infinity;
    for (const mark of marks) {
      const text = mark.toLocaleString("en");
      const half = text.length * 3.6 + 4;
      const at = px(mark);
      if (at - half < end) continue;
      end = at + half;
      parts.push(drawn("text", { class: "tick", x: at, y: height - bottom + 17, "text-anchor": "middle", "font-size": 12 }, text));
    }
    parts.push(drawn("text", { class: "tick", x: width - right, y: height - 6, "text-anchor": "end", "font-size": 12 }, options.xLabel),
      drawn("text", { class: "tick", x: 0, y: 12, "font-size": 12 }, options.yLabel));
    series.forEach((line, i) => {
      const at = line.points.map(([x, y]) => `${px(x).toFixed(1)},${py(y).toFixed(1)}`).join(" ");
      // Curves that lie on each other stay visible: earlier ones are wider.
      parts.push(drawn("polyline", { points: at, fill: "none", stroke: colour(i), "stroke-width": 2 + 2 * (series.length - 1 - i) * (options.overlaid ? 1 : 0), "stroke-dasharray": i === 0 ? "" : DASHES[i % DASHES.length], "stroke-linejoin": "round" },
        drawn("title", {}, line.name)));
      if (options.dots) for (const [x, y] of line.points) parts.push(drawn("circle", { cx: px(x), cy: py(y), r: 3, fill: colour(i) }, drawn("title", {}, `${line.name}, ${x}: ${short(y)}`)));
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
