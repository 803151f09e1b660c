// What pages cannot do without a script: live fragments, the log's filter, light and dark; what
// browsable pages do better with one stands in browse.js.
// Everything else works without it. A fragment replaces the content of the element with its
// name; an element that holds the focus or a selection is left alone until the next change.
"use strict";
(() => {
  const root = document.documentElement;
  const kept = localStorage.getItem("theme");
  if (kept) root.dataset.theme = kept;
  const button = document.querySelector("[data-theme-switch]");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      localStorage.setItem("theme", root.dataset.theme);
    });
  }
  document.querySelectorAll("[data-needs-script]").forEach((e) => { e.hidden = false; });

  const log = document.getElementById("log");
  const level = document.querySelector("[data-log-level]");
  if (log && level) level.addEventListener("change", () => { log.dataset.show = level.value; });
  const follow = document.querySelector("[data-follow]");

  const live = document.querySelector("[data-live]");
  if (!live || !window.EventSource) return;
  const source = new EventSource(live.dataset.live);
  const busy = (element) => {
    const selection = document.getSelection();
    return element.contains(document.activeElement)
      || (selection && !selection.isCollapsed && element.contains(selection.anchorNode));
  };
  source.addEventListener("fragment", (event) => {
    const { id, html } = JSON.parse(event.data);
    const element = document.getElementById(id);
    if (!element || busy(element)) return;
    if (id === "log" && follow && !follow.checked) return;
    const list = element.querySelector(".log");
    const scrolled = list ? list.scrollTop : 0;
    element.innerHTML = html;
    const fresh = element.querySelector(".log");
    if (fresh) fresh.scrollTop = scrolled;
  });
  source.addEventListener("end", () => source.close());
})();
