"use strict";

// From now on the browser has the token in a cookie; the address shows it no longer.
if (location.search) history.replaceState(null, "", location.pathname + location.hash);

// All text gets into the page as text, never as HTML: a name may be anything.
function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

const byId = (id) => document.getElementById(id);
const code = (text) => make("code", {}, text);
const clock = new Intl.DateTimeFormat("sv", { timeStyle: "medium" });
const calendar = new Intl.DateTimeFormat("sv", { dateStyle: "short", timeStyle: "medium" });

function time(microseconds, form = calendar) {
  const date = new Date(microseconds / 1000);
  if (isNaN(date)) return `${microseconds} µs since 1970`;
  return make("time", { dateTime: date.toISOString() }, form.format(date));
}

const seen = (item) => make("span", {}, ...(item.seen === null ? ["never seen"] : ["last seen ", time(item.seen)]));

// Make the children of a node those of a list, and touch only what differs: focus, scrolling and what is open stay.
function sync(parent, items, create) {
  const before = new Map(Array.from(parent.children, (node) => [node.item, node]));
  const kept = new Set(items.map((item) => item.id));
  for (const [id, node] of before) if (!kept.has(id)) node.remove();
  let place = parent.firstElementChild;
  for (const item of items) {
    const text = JSON.stringify(item);
    let node = before.get(item.id);
    if (!node || (node.text !== text && !node.update)) {
      const old = node;
      node = create(item);
      if (old) old.replaceWith(node);
      if (old && old === place) place = node;
    }
    if (node.update && node.text !== text) node.update(item);
    Object.assign(node, { item: item.id, text });
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
}

function row(className, ...cells) {
  return make("tr", { className }, ...cells.map((cell) => make("td", {}, cell)));
}

function group(level, show) {
  return () => {
    const heading = make(`h${level}`);
    const list = make("div");
    const node = make("section", {}, heading, list);
    node.update = (item) => {
      heading.replaceChildren(item.name, " ", code(item.id));
      if (item.seen !== undefined) heading.append(" ", seen(item));
      show(list, item);
    };
    return node;
  };
}

const machine = group(5, (list, item) => sync(list, item.parts, part));
const location_ = group(4, (list, item) => sync(list, item.machines, machine));
const organization = group(3, (list, item) => sync(list, item.locations, location_));

function part(item) {
  const summary = make("summary");
  const log = byId("log").content.firstElementChild.cloneNode(true);
  const node = make("details", {}, summary, log);
  node.load = async () => {
    const { entries } = await read(`logs.json?part=${encodeURIComponent(item.id)}`);
    sync(log.querySelector("tbody"), entries, entry);
  };
  node.ontoggle = () => node.open && node.load();
  node.update = (now) => {
    const kind = `${now.main ? " (main part)" : ""}${now.restart ? " (to restart)" : ""} `;
    const components = now.components.length ? ` with ${now.components.join(", ")}` : "";
    summary.replaceChildren(now.name, kind, code(now.id), " ", seen(now), components);
    log.ariaLabel = `Log of ${now.name}`;
  };
  return node;
}

function entry(item) {
  const message = make("div", {}, item.message);
  if (item.fields) message.append(" ", code(item.fields));
  if (item.stack) message.append(make("details", {}, make("summary", {}, "stack"), make("pre", {}, item.stack)));
  return row(item.level, time(item.time), item.level, item.logger, message);
}

const reading = (item) => row(
  "", time(item.time), [item.robot_name, item.part_name, item.component_name, item.method].filter(Boolean).join(" / "),
  code(item.values), item.tags.join(", "),
);
const dataset = (item) => row("", item.name, item.organization, item.files, time(item.created), code(item.id));

function file(item) {
  const from = [item.name, item.component_name, item.robot_name].filter(Boolean).join(", ") || "unknown";
  const marked = item.boxes.length ? `, in it: ${item.boxes.map((box) => box.label).join(", ")}` : "";
  const picture = make("div", { className: "picture" });
  if (item.is_image) {
    const image = make("img", { loading: "lazy", alt: `Image from ${from}${marked}` });
    image.onload = () => image.classList.toggle("tiny", image.naturalWidth < image.clientWidth);
    image.src = `/ui/files/${encodeURIComponent(item.id)}`;
    picture.append(image, ...item.boxes.map(box));
  } else {
    picture.append(`${item.type}, ${item.size} bytes`);
  }
  const tags = item.tags.map((tag) => make("span", { className: "tag" }, tag));
  const datasets = item.datasets.length ? [make("div", {}, `in ${item.datasets.join(", ")}`)] : [];
  return make("figure", {}, picture, make("figcaption", {}, from, make("div", {}, time(item.time)), ...datasets, ...tags));
}

// The alternative text of the image has the labels; here they are for the eye.
function box(item) {
  const node = make("div", { className: "box", ariaHidden: "true" }, make("span", {}, item.label));
  for (const side of ["left", "top", "width", "height"]) node.style[side] = `${100 * item[side]}%`;
  return node;
}

function call(item) {
  const rpc = make("span", { title: item.rpc }, item.rpc.split("/")[1]);
  const status = item.status || "running";
  const className = { OK: "", running: "debug" }[status] ?? "error";
  return row(className, time(item.time, clock), rpc, item.who ?? "", status, item.seconds === null ? "" : (1000 * item.seconds).toFixed(1));
}

async function read(name) {
  const response = await fetch(`/ui/${name}`);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.json();
}

async function showCalls() {
  sync(document.querySelector("#calls tbody"), (await read("calls.json")).calls, call);
}

async function showWorld() {
  const [world, data] = await Promise.all([read("world.json"), read("data.json")]);
  byId("more").hidden = !world.more;
  sync(byId("organizations"), world.organizations, organization);
  sync(byId("files"), data.files, file);
  sync(document.querySelector("#datasets tbody"), data.datasets, dataset);
  sync(document.querySelector("#readings tbody"), data.readings, reading);
  await Promise.all(Array.from(document.querySelectorAll("#machines details[open]"), (node) => node.load?.()));
}

// The sandbox says how often what has changed; while one change is being read, the next ones wait.
let wanted = {}, shown = {}, busy = false, source = null;

async function refresh() {
  if (busy) return;
  busy = true;
  try {
    while (wanted.calls !== shown.calls || wanted.world !== shown.world) {
      const now = wanted;
      if (now.calls !== shown.calls) await showCalls();
      if (now.world !== shown.world) await showWorld();
      shown = now;
    }
    byId("state").textContent = "live";
  } catch (error) {
    byId("state").textContent = `not up to date (${error.message})`;
  } finally {
    busy = false;
  }
}

// A browser has few connections for each server: a page that nobody sees gives its own back.
function connect() {
  source?.close();
  source = null;
  if (document.hidden) return;
  source = new EventSource("/ui/events");
  source.onopen = () => { shown = {}; };
  source.onmessage = (event) => { wanted = JSON.parse(event.data); refresh(); };
  source.onerror = () => { byId("state").textContent = "no connection; does the sandbox still run?"; };
}

document.addEventListener("visibilitychange", connect);
connect();
