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
      return state.dark ? "dark" : "light";
    },
    draw: function (figures, state) {
      if (figures && state) { drawAll(figures, state.path + state.search); }
      return window.dash_clientside.no_update;
    },
  },
});

/* Figures: the server sends them as JSON beside the page; those in view are drawn first, each in a task of its own. */
const NARROW = 640;  // pixels below which letters are smaller
const drawing = { turn: 0, graphs: new Map() };
function plotly() {
  if (window.Plotly) { return Promise.resolve(); }
  return new Promise(function (done) { document.getElementById("plotly").addEventListener("load", done); });
}

function next() {
  return new Promise(function (done) { setTimeout(done, 0); });
}

function inView(host) {
  const box = host.getBoundingClientRect();
  return box.top < window.innerHeight && box.bottom > 0;
}

async function drawAll({ figures, config }, address) {
  const turn = ++drawing.turn;
  const main = document.getElementById("main");
  const names = Object.keys(figures);
  const host = (name) => document.getElementById("figure-" + name);
  if (names.length) { await plotly(); }
  while (turn === drawing.turn && !names.every(host)) { await new Promise(requestAnimationFrame); }
  for (const [name, graph] of drawing.graphs) {
    if (figures[name] === undefined && turn === drawing.turn) {
      window.Plotly.purge(graph);
      graph.remove();
      drawing.graphs.delete(name);
    }
  }
  const waiting = new Set(names);
  while (waiting.size && turn === drawing.turn) {
    const name = [...waiting].find((one) => inView(host(one)));
    if (name === undefined) { main.dataset.seen = address; }
    const chosen = name === undefined ? [...waiting][0] : name;
    waiting.delete(chosen);
    await drawOne(chosen, host(chosen), JSON.parse(figures[chosen]), config);
    await next();
  }
  if (turn === drawing.turn) { main.dataset.seen = address; main.dataset.drawn = address; }
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
  await window.Plotly.react(graph, { data: figure.data, layout: figure.layout, frames: figure.frames, config: config });
}

function shrink(layout) {
  const shared = layout.template.layout;
  shared.font.size = 11;
  for (const axis of [shared.xaxis, shared.yaxis]) { axis.title.font.size = 11; axis.tickfont.size = 11; }
  for (const note of layout.annotations || []) {
    if (note.font && note.font.size > 12) { note.font.size = 12; }
  }
}

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
