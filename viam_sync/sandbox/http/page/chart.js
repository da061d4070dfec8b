"use strict";

// The readings of a sensor, a chart for each field, as SVG; the server has thinned the points already.
const HEIGHT = 150, LEFT = 66, RIGHT = 12, TOP = 10, BOTTOM = 24;
const SPANS = { "": "All", week: "Last week", day: "Last day", hour: "Last hour" };

// Of the units that time is marked by: the place in the arguments of Date, the milliseconds, and steps in use.
const UNITS = [
  [6, 1, [1, 2, 5, 10, 20, 50, 100, 200, 500]], [5, 1000, [1, 2, 5, 10, 15, 30]], [4, 60e3, [1, 2, 5, 10, 15, 30]],
  [3, 3600e3, [1, 2, 3, 6, 12]], [2, 86400e3, [1, 2, 7, 14]], [1, 30.4 * 86400e3, [1, 2, 3, 6]],
  [0, 365.2 * 86400e3, [1, 2, 5, 10, 20, 50, 100, 500, 1000, 5000]],
];

let charted = "", chart = null;
const rest = { until: 0, timer: 0 };

function shape(tag, attributes, ...children) {
  const node = document.createElementNS(byId("drawing").content.firstElementChild.namespaceURI, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

async function showChart(sensor) {
  const query = address();
  byId("chart").hidden = !query.has("sensor");
  if (!query.has("sensor")) {
    charted = "";
    byId("chart").replaceChildren();
    return;
  }
  const asked = new URLSearchParams(["sensor", "span", "fields"].map((name) => [name, query.get(name) ?? ""]));
  const now = `${asked} ${JSON.stringify(sensor)}`;
  if (now === charted) return;
  const first = !charted;
  const began = performance.now();
  // While readings arrive, the sandbox has time for more than this chart.
  clearTimeout(rest.timer);
  if (charted.startsWith(`${asked} `) && began < rest.until) {
    rest.timer = setTimeout(() => refresh(true), rest.until - began);
    return;
  }
  chart = await read(`chart.json?${asked}`);
  rest.until = performance.now() + 5 * (performance.now() - began);
  charted = now;
  drawChart();
  if (first && location.hash === "#chart") byId("chart").scrollIntoView();
}

function drawChart() {
  const close = link("Close", { sensor: null, span: null, fields: null }, "#sensors");
  if (!chart) {
    byId("chart").replaceChildren(make("p", {}, "This sensor has no readings. ", close));
    return;
  }
  const current = address().get("span") ?? "";
  const spans = Object.entries(SPANS).map(([span, text]) =>
    Object.assign(link(text, { span, fields: null }), { ariaCurrent: String(span === current) }));
  const pages = pager("fields", "fields");
  pages.ariaLabel = "Pages of fields";
  pages.show(chart.fields);
  redraw(
    make("h3", {}, origin(chart.sensor)),
    make("nav", { className: "pages", ariaLabel: "How far back" }, ...spans, close),
    make("p", {}, ...summary()),
    pages,
    ...chart.fields.items.map(figure),
  );
}

// The link or drawing that has the focus gives it to the one in its place.
function redraw(...children) {
  const focusable = () => Array.from(byId("chart").querySelectorAll("a, svg"));
  const place = focusable().indexOf(document.activeElement);
  byId("chart").replaceChildren(...children);
  focusable()[place]?.focus({ preventScroll: true });
}

function summary() {
  const { readings, total, from, to, left_out, more_left_out } = chart;
  const all = `Readings: ${number(total)}`;
  const many = readings < total ? `The latest ${number(readings)} of ${number(total)} readings` : all;
  const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const more = more_left_out ? `, and ${number(more_left_out)} more fields` : "";
  return [
    `${many}, from `, time(from), " to ", time(to), ` (${zone}).`,
    ...(chart.fields.total ? [] : [" No field holds numbers."]),
    ...(left_out.length ? [` Left out, as they are no numbers: ${left_out.join(", ")}${more}.`] : []),
  ];
}

function figure(field) {
  const said = make("output");
  const [min, max, last] = [field.min, field.max, field.last].map(short);
  const text = `${number(field.values)} values from ${min} to ${max}, the last ${last}`;
  const drawing = draw(field, `${field.name}: ${text}`, said);
  return make("figure", {}, make("figcaption", {}, make("h4", {}, field.name), make("span", {}, text), said), drawing);
}

function draw(field, label, said) {
  const width = drawingWidth();
  const [from, to] = chart.from < chart.to ? [chart.from, chart.to] : [chart.from - 1e6, chart.to + 1e6];
  const { low, high, marks } = scale(field.min, field.max);
  const x = (at) => LEFT + ((at - from) / (to - from)) * (width - LEFT - RIGHT);
  // Halves, as the difference of two large numbers may be none.
  const y = (value) => TOP + ((high / 2 - value / 2) / (high / 2 - low / 2)) * (HEIGHT - TOP - BOTTOM);
  const level = ([value, text]) => [
    shape("line", { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value), class: "grid" }),
    shape("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, text),
  ];
  const moment = ([at, text]) => [
    shape("line", { x1: x(at), x2: x(at), y1: TOP, y2: HEIGHT - BOTTOM + 4, class: "grid" }),
    shape("text", { x: x(at), y: HEIGHT - 6, "text-anchor": "middle" }, text),
  ];
  const path = (line) => line.length === 1
    ? shape("circle", { cx: x(line[0][0]), cy: y(line[0][1]), r: 2, class: "dot" })
    : shape("polyline", { points: line.map(([at, value]) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(" ") });
  const marker = shape("circle", { r: 4, class: "marker", visibility: "hidden" });
  const node = shape(
    "svg", { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", tabindex: 0, "aria-label": label },
    ...marks.flatMap(level), ...moments(from / 1000, to / 1000, (width - LEFT - RIGHT) / 90).flatMap(moment),
    ...field.lines.map(path), marker,
  );
  readAloud(node, field.lines.flat(), x, ([at, value]) => {
    const place = { cx: x(at), cy: y(value), visibility: "visible" };
    for (const [name, value] of Object.entries(place)) marker.setAttribute(name, value);
    said.replaceChildren(time(at), ` ${short(value)}`);
  });
  return node;
}

// The pointer and the arrow keys choose a point, whose time and value are then said.
function readAloud(node, points, x, choose) {
  let chosen = points.length;
  const go = (to) => { chosen = Math.min(Math.max(to, 0), points.length - 1); choose(points[chosen]); };
  node.onpointermove = (event) => {
    const place = event.clientX - node.getBoundingClientRect().left;
    const distances = points.map(([at]) => Math.abs(x(at) - place));
    go(distances.indexOf(Math.min(...distances)));
  };
  node.onkeydown = (event) => {
    const to = { ArrowLeft: chosen - 1, ArrowRight: chosen + 1, Home: 0, End: points.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  };
}

const short = (value) => String(Number(value.toPrecision(6)));

// Round values for the marks of a chart, at most six, and its ends.
function scale(min, max) {
  if (min === max) [min, max] = [min - (Math.abs(min) / 10 || 1), max + (Math.abs(max) / 10 || 1)];
  const rough = max / 4 - min / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough * 0.9) ?? rough;
  const first = Math.ceil(min / step);
  const values = Array.from({ length: 6 }, (_, place) => (first + place) * step);
  const decimals = Math.max(0, -Math.floor(Math.log10(step)));
  const text = (value) => decimals > 5 || Math.abs(value) >= 1e7 ? short(value) : value.toFixed(decimals);
  const marks = values.filter((value) => value >= min && value <= max).map((value) => [value, text(value)]);
  return { low: min, high: max, marks };
}

// The times of the marks, in microseconds, and their texts: round ones in the zone of the viewer.
function moments(from, to, most) {
  const fitting = UNITS.flatMap(([place, length, steps]) => steps.map((step) => [place, step, length * step]));
  const [place, step] = fitting.find(([, , length]) => (to - from) / length <= most) ?? fitting.at(-1);
  const start = new Date(from);
  const parts = [start.getFullYear(), start.getMonth(), start.getDate()];
  parts.push(start.getHours(), start.getMinutes(), start.getSeconds(), start.getMilliseconds());
  // Days of a month do not begin at 0; a week or two may begin on any.
  if (place !== 2) parts[place] -= parts[place] % step;
  parts.fill(0, place + 1);
  if (place < 2) parts[2] = 1;
  const found = [];
  for (; found.length <= most + 1; parts[place] += step) {
    const date = new Date(...parts);
    if (!(date <= to)) break;
    if (date >= from) found.push([date * 1000, momentText(date, place)]);
  }
  return found;
}

function momentText(date, place) {
  const day = new Intl.DateTimeFormat("sv", { dateStyle: "short" }).format(date);
  const clock = new Intl.DateTimeFormat("sv", { timeStyle: place > 4 ? "medium" : "short" }).format(date);
  if (place < 3) return day.slice(0, [4, 7, 10][place]);
  if (clock === "00:00") return day;
  return place === 6 ? `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}` : clock;
}

function fitChart() {
  const drawing = byId("chart").querySelector("svg");
  if (drawing && Math.abs(drawing.viewBox.baseVal.width - drawingWidth()) > 2) drawChart();
}

const drawingWidth = () => Math.max(240, byId("chart").clientWidth - 20);
