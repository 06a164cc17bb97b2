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
  },
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
