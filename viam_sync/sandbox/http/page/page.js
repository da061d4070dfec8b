"use strict";

// The numbers of pages, open logs and the chart stand in the address, which can be reloaded and linked.
const address = () => new URLSearchParams(location.search);

function addressWith(changes, hash = location.hash) {
  const query = address();
  for (const [name, value] of Object.entries(changes)) value ? query.set(name, value) : query.delete(name);
  return `${location.pathname}${query.toString() && "?"}${query}${hash}`;
}

// From now on the browser has the token in a cookie; the address shows it no longer.
if (address().has("token")) history.replaceState(null, "", addressWith({ token: null }));

// All text gets into the page as text, never as HTML: a name may be anything.
function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

const byId = (id) => document.getElementById(id);
const number = (value) => value.toLocaleString("en");
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
  const name = `log.${item.id}`;
  const summary = make("summary");
  const log = byId("log").content.firstElementChild.cloneNode(true);
  const pages = pager(name, "entries", log);
  const node = make("details", { open: address().has(name) }, summary, pages, log);
  node.load = async () => {
    const page = address().get(name) ?? "";
    const view = await read(`logs.json?${new URLSearchParams({ part: item.id, page })}`);
    pages.show(view);
    sync(log.querySelector("tbody"), view.items, entry);
  };
  node.ontoggle = () => {
    if (node.open === node.inAddress()) return;
    history.replaceState(null, "", addressWith({ [name]: node.open && "1" }));
    refresh();
  };
  node.inAddress = () => address().has(name);
  node.update = (now) => {
    const kind = `${now.main ? " (main part)" : ""}${now.restart ? " (to restart)" : ""} `;
    const components = now.components.length ? ` with ${now.components.join(", ")}` : "";
    summary.replaceChildren(now.name, kind, code(now.id), " ", seen(now), components);
    log.ariaLabel = `Log of ${now.name}`;
    pages.ariaLabel = `Pages of the log of ${now.name}`;
  };
  return node;
}

function entry(item) {
  const message = make("div", {}, item.message);
  if (item.fields) message.append(" ", code(item.fields));
  if (item.stack) message.append(make("details", {}, make("summary", {}, "stack"), make("pre", {}, item.stack)));
  return row(item.level, time(item.time), item.level, item.logger, message);
}

const origin = (item) =>
  [item.robot_name, item.part_name, item.component_name, item.method].filter(Boolean).join(" / ");
const reading = (item) => row("", time(item.time), origin(item), code(item.values), item.tags.join(", "));
const sensor = (item) => row("", link(origin(item), { sensor: item.id }, "#chart"), item.readings, time(item.latest));
const dataset = (item) => row("", item.name, item.organization, item.files, time(item.created), code(item.id));
const fragment = (item) => row("", item.name, item.organization, item.visibility, code(item.id));

function job(item) {
  const status = item.error ? `${item.status}: ${item.error}` : item.status;
  const className = item.status === "failed" ? "error" : "";
  return row(className, time(item.created), item.name, item.organization, status, code(item.dataset), code(item.id));
}

function key(item) {
  const roles = make("div", {}, ...item.roles.map((role) => make("div", {}, role)));
  return row("", item.name, item.organization, roles, time(item.created), code(item.id));
}

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

// A link within this page, which is followed without loading it anew; null for no changes leads nowhere.
function link(text, changes, hash) {
  const node = make("a", { className: "here", tabIndex: 0 }, text);
  node.lead = (to) => {
    changes = to;
    node.relink();
  };
  node.address = () => addressWith(changes, hash ?? location.hash);
  node.relink = () => {
    node.ariaDisabled = changes ? null : "true";
    changes ? node.setAttribute("href", node.address()) : node.removeAttribute("href");
  };
  node.relink();
  return node;
}

document.addEventListener("click", (event) => {
  const followed = event.target.closest("a.here[href]");
  if (!followed || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, "", followed.address());
  followed.closest("[data-pages]")?.top?.scrollTo(0, 0);
  refresh();
});

window.addEventListener("popstate", () => {
  for (const node of document.querySelectorAll("#machines details")) if (node.inAddress) node.open = node.inAddress();
  refresh();
});

// The links stay, so that the one with the focus keeps it.
function pager(name, unit, top) {
  const [first, before, after, last] = ["First", "Previous", "Next", "Last"].map((text) => link(text, null));
  const place = make("span");
  const node = make("nav", { className: "pages" }, first, before, place, after, last);
  Object.assign(node.dataset, { pages: name });
  node.top = top;
  node.show = ({ page, pages, size, total }) => {
    const from = (page - 1) * size + 1;
    const to = Math.min(page * size, total);
    const range = `${number(from)} to ${number(to)} of ${number(total)} ${unit}`;
    place.textContent = pages > 1 ? range : `${number(total)} in all`;
    const targets = [[first, 1], [before, Math.max(1, page - 1)], [after, Math.min(pages, page + 1)], [last, pages]];
    for (const [node, target] of targets) {
      node.hidden = pages === 1;
      node.lead(target === page ? null : { [name]: String(target) });
    }
  };
  return node;
}

async function read(name) {
  const response = await fetch(`/ui/${name}`);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return response.json();
}

const LISTS = {
  machines: ["lines", organization], sensors: ["sensors", sensor], readings: ["readings", reading],
  files: ["files", file], datasets: ["datasets", dataset], jobs: ["jobs", job], fragments: ["fragments", fragment],
  keys: ["keys", key], calls: ["calls", call],
};

function showList(name, view) {
  const [unit, create] = LISTS[name];
  const section = byId(name);
  section.pager ??= pager(name, unit, section.querySelector(".frame"));
  if (!section.pager.isConnected) section.querySelector("h2").after(section.pager);
  section.pager.ariaLabel = `Pages of ${name}`;
  section.pager.show(view);
  sync(section.querySelector(".items"), view.items, create);
}

async function showCalls() {
  showList("calls", await read(`calls.json${location.search}`));
}

let again = 0;

async function showWorld() {
  const world = await read(`world.json${location.search}`);
  const [organizations, locations, machines, parts] = world.machines.counts.map(number);
  byId("counts").textContent =
    `Organizations: ${organizations}, locations: ${locations}, machines: ${machines}, parts: ${parts}`;
  for (const name of Object.keys(LISTS)) if (name !== "calls") showList(name, world[name]);
  await Promise.all([
    showChart(world.sensor),
    ...Array.from(document.querySelectorAll("#machines details[open]"), (node) => node.load?.()),
  ]);
  // A training job enters its next status by itself.
  clearTimeout(again);
  const seconds = Math.min(60, Math.max(1, world.changes_in + 0.1));
  if (world.changes_in !== null) again = setTimeout(() => refresh(true), 1000 * seconds);
}

// The sandbox says how often what has changed; while one change is being read, the next ones wait.
let wanted = {}, shown = {}, busy = false, source = null;

async function refresh(anew = false) {
  if (anew) shown = {};
  if (busy) return;
  busy = true;
  try {
    while (isOld()) {
      const now = { ...wanted, search: location.search };
      const moved = now.search !== shown.search;
      if (moved || now.calls !== shown.calls) await showCalls();
      if (moved || now.world !== shown.world) await showWorld();
      for (const node of document.querySelectorAll("a.here")) node.relink();
      shown = now;
    }
    byId("state").textContent = "live";
  } catch (error) {
    byId("state").textContent = `not up to date (${error.message})`;
  } finally {
    busy = false;
  }
}

const isOld = () => wanted.calls !== shown.calls || wanted.world !== shown.world || location.search !== shown.search;

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
new ResizeObserver(fitChart).observe(byId("chart"));
connect();
