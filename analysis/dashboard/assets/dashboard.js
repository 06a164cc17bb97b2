/* What the browser does by itself: choices go into the address, language and ground onto the page, figures into files. */
window.dash_clientside = Object.assign({}, window.dash_clientside, {
  dashboard: {
    choose: function (values, ids, search, state) {
      const context = window.dash_clientside.callback_context;
      if (!state || !context.triggered.length) { return window.dash_clientside.no_update; }
      const query = new URLSearchParams(search || "");
      const before = query.toString();  // what the server rendered is no choice of the reader
      for (const one of context.triggered) {
        const name = JSON.parse(one.prop_id.slice(0, one.prop_id.lastIndexOf("."))).set;
        const index = ids.findIndex((id) => id.set === name);
        const value = values[index];
        if (value === null || value === undefined) { continue; }
        const text = String(value);
        const shown = state.shown[name];
        if (String(shown === undefined || shown === null ? "" : shown) === text) { continue; }
        if (text) { query.set(name, text); } else { query.delete(name); }
        if (name === "study") { query.delete("scenario"); }
        if (name === "group" || name === "find") { query.delete("from"); }
      }
      const after = query.toString();
      return after === before ? window.dash_clientside.no_update : (after ? "?" + after : "");
    },
    dress: function (state) {
      if (!state) { return window.dash_clientside.no_update; }
      const root = document.documentElement;
      root.lang = state.lang === "zh" ? "zh-Hans" : "en";
      root.dataset.theme = state.dark ? "dark" : "light";
      const main = document.getElementById("main");
      if (main) { main.dataset.shown = state.path + state.search; }
      document.title = state.heading + " \u2013 " + state.title;
      nameFields();
      return state.dark ? "dark" : "light";
    },
    draw: function (figures, state) {
      if (figures && state) { drawAll(figures, state.path + state.search); }
      return window.dash_clientside.no_update;
    },
  },
});

/* Figures: the server sends them as JSON beside the page. Those in view are drawn first, each in a task of its own, then
   those a screen away; the rest when they come so near, or when the page is printed. */
const NARROW = 640;  // pixels below which letters are smaller
const drawing = { turn: 0, graphs: new Map(), near: null, plotly: null, print: null };
/* plotly.js, once: a browser reads it for most of a second, so the text of the first page must be shown before. */
function plotly() {
  drawing.plotly = drawing.plotly || new Promise(function (done) {
    const script = document.createElement("script");
    script.src = "/plotly.min.js";
    script.addEventListener("load", done);
    requestAnimationFrame(() => setTimeout(() => document.head.append(script), 0));
  });
  return drawing.plotly;
}

function next() {
  return new Promise(function (done) { setTimeout(done, 0); });
}

/* Whether a figure is in view, or within so many screens of it. */
function within(host, screens) {
  const box = host.getBoundingClientRect(), beyond = screens * window.innerHeight;
  return box.top < window.innerHeight + beyond && box.bottom > -beyond;
}

async function drawAll({ figures, config }, address) {
  const turn = ++drawing.turn;
  const main = document.getElementById("main");
  const names = Object.keys(figures);
  const host = (name) => document.getElementById("figure-" + name);
  if (drawing.near) { drawing.near.disconnect(); drawing.near = null; }
  while (turn === drawing.turn && !names.every(host)) { await new Promise(requestAnimationFrame); }
  if (names.length) { await plotly(); } else { window.setTimeout(plotly, 500); }
  if (turn !== drawing.turn) { return; }
  for (const [name, graph] of drawing.graphs) {
    if (figures[name] === undefined) {
      window.Plotly.purge(graph);
      graph.remove();
      drawing.graphs.delete(name);
    }
  }
  const waiting = new Set(names);
  const draw = function (name) {
    waiting.delete(name);
    return drawOne(name, host(name), JSON.parse(figures[name]), config).then(function () {
      host(name).dataset.drawn = address;
    });
  };
  const work = async function () {
    for (const screens of [0, 1]) {
      for (;;) {
        if (turn !== drawing.turn) { return; }
        const name = [...waiting].find((one) => within(host(one), 0)) ||
          (screens ? [...waiting].find((one) => within(host(one), screens)) : undefined);
        if (name === undefined) { break; }
        await draw(name);
        await next();
      }
      if (!screens) { main.dataset.seen = address; }
    }
    main.dataset.drawn = address;
  };
  drawing.print = () => [...waiting].forEach(draw);
  await work();
  if (turn !== drawing.turn || !waiting.size) { return; }
  let busy = false;
  drawing.near = new IntersectionObserver(async function () {
    if (busy) { return; }
    busy = true;
    await work();
    busy = false;
  }, { rootMargin: "100% 0px" });
  waiting.forEach((name) => drawing.near.observe(host(name)));
}

async function drawOne(name, host, figure, config) {
  let graph = drawing.graphs.get(name);
  if (!graph) {
    graph = document.createElement("div");
    graph.style.height = "100%";
    drawing.graphs.set(name, graph);
  }
  if (graph.parentElement !== host) { host.append(graph); }
  if (host.clientWidth < NARROW) { shrink(figure.layout); }
  makeRoom(figure);
  await window.Plotly.newPlot(graph, {  // anew: to change a drawn figure into another takes Plotly twice as long
    data: figure.data, layout: figure.layout, frames: figure.frames, config: config,
  });
}

const pen = document.createElement("canvas").getContext("2d");
const NUMBERS = 50, HEADING = 28;  // pixels that numbers beside an axis take, and its title
/* Room for what stands left of a figure. Plotly finds it too, but by drawing the figure, measuring and drawing again. */
function makeRoom(figure) {
  const layout = figure.layout, shared = layout.template.layout;
  pen.font = shared.yaxis.tickfont.size + "px " + shared.font.family;
  let room = 0;
  for (const name of Object.keys(layout).filter((key) => key.startsWith("yaxis"))) {
    const axis = layout[name], beside = layout["xaxis" + (axis.anchor || "x").slice(1)];
    if (axis.visible === false || axis.showticklabels === false || (beside && beside.domain && beside.domain[0] > 0)) {
      continue;
    }
    const own = figure.data.filter((trace) => (trace.yaxis || "y") === "y" + name.slice(5));
    const words = (axis.ticktext || own.flatMap((trace) => Array.isArray(trace.y) ? trace.y : []))
      .filter((value) => typeof value === "string").flatMap((value) => value.split("<br>"));
    const width = words.length ? Math.max(...new Set(words.map((word) => pen.measureText(word).width))) + 13 : NUMBERS;
    room = Math.max(room, width + (axis.title && axis.title.text ? HEADING : 0));
  }
  if (room) { layout.margin = { ...layout.margin, l: Math.max((layout.margin || {}).l || 0, Math.ceil(room)) }; }
}

function shrink(layout) {
  const shared = layout.template.layout;
  shared.font.size = 11;
  for (const axis of [shared.xaxis, shared.yaxis]) { axis.title.font.size = 11; axis.tickfont.size = 11; }
  for (const note of layout.annotations || []) {
    if (note.font && note.font.size > 12) { note.font.size = 12; }
  }
}

window.addEventListener("beforeprint", function () { if (drawing.print) { drawing.print(); } });

/* Dash gives the parts of a slider no names; screen readers get those of their field. */
function nameFields() {
  for (const part of document.querySelectorAll(".field [role=slider], .field input")) {
    const name = part.closest(".field").getAttribute("aria-label");
    if (part.getAttribute("aria-label") !== name) { part.setAttribute("aria-label", name); }
  }
}
document.addEventListener("DOMContentLoaded", function () {
  new MutationObserver(nameFields).observe(document.body, { childList: true, subtree: true });
});

/* The day of a figure by the arrow keys: Plotly's slider knows the mouse alone. */
document.addEventListener("keydown", function (event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const graph = step && event.target.matches(".figure") && event.target.querySelector(".js-plotly-plot");
  const slider = graph && (graph.layout.sliders || [])[0];
  if (!slider) { return; }
  event.preventDefault();
  const next = slider.steps[Math.min(Math.max((slider.active || 0) + step, 0), slider.steps.length - 1)];
  window.Plotly.animate(graph, ...next.args);
});

document.addEventListener("click", function (event) {
  const button = event.target.closest("button[data-save]");
  if (!button) { return; }
  const graph = document.querySelector("#" + button.dataset.figure + " .js-plotly-plot");
  if (graph && window.Plotly) {
    window.Plotly.downloadImage(graph, {
      format: button.dataset.save, filename: button.dataset.figure, width: Math.max(900, graph.clientWidth),
      height: graph.clientHeight, scale: button.dataset.save === "png" ? 2 : 1,
    });
  }
});
