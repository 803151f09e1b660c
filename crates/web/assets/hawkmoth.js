// What pages cannot do without a script: live fragments, the log's filter, light and dark; what
// browsable pages do better with one stands in browse.js.
// Everything else works without it. A fragment replaces the content of the element with its
// name; an element that holds the focus or a selection is left alone until it is left.
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
  document.querySelectorAll("[data-all]").forEach((all) => all.addEventListener("change", () => {
    const boxes = all.form.querySelectorAll(`input[name="${all.dataset.all}"]`);
    boxes.forEach((box) => { box.checked = all.checked; });
  }));

  const log = document.getElementById("log");
  const level = document.querySelector("[data-log-level]");
  if (log && level) level.addEventListener("change", () => { log.dataset.show = level.value; });
  const follow = document.querySelector("[data-follow]");

  const live = document.querySelector("[data-live]");
  if (!live || !window.EventSource) return;
  const busy = (element) => {
    const selection = document.getSelection();
    return element.contains(document.activeElement)
      || (selection && !selection.isCollapsed && element.contains(selection.anchorNode));
  };
  const waiting = new Map();
  const show = (id, html) => {
    const element = document.getElementById(id);
    if (!element) return;
    if (busy(element) || element.querySelector("details[open]")) { waiting.set(id, html); return; }
    waiting.delete(id);
    if (id === "log" && follow && !follow.checked) return;
    const list = element.querySelector(".log");
    const scrolled = list ? list.scrollTop : 0;
    element.innerHTML = html;
    const fresh = element.querySelector(".log");
    if (fresh) fresh.scrollTop = scrolled;
  };
  const catchUp = () => setTimeout(() => waiting.forEach((html, id) => show(id, html)), 200);
  ["focusout", "selectionchange"].forEach((name) => document.addEventListener(name, catchUp));
  document.addEventListener("toggle", catchUp, true);

  // A browser has few connections to a server, so a page that nobody sees keeps none. The server
  // ends each stream after a while: only one that is not back soon after is spoken of.
  const said = document.querySelector("[data-live-said]");
  const say = (words) => { if (said && said.textContent !== words) said.textContent = words; };
  let source = null;
  let lost = null;
  let again = null;
  const found = () => { clearTimeout(lost); lost = null; };
  const stop = () => {
    found();
    clearTimeout(again);
    if (source) source.close();
    source = null;
  };
  const start = () => {
    stop();
    const mine = new EventSource(live.dataset.live);
    source = mine;
    mine.addEventListener("open", () => { found(); say(""); });
    mine.addEventListener("error", () => {
      if (source !== mine) return;
      lost ??= setTimeout(() => say("Not live: the server is not heard. What stands here may be old."), 5000);
      // The browser asks again by itself, but not where it was refused.
      if (mine.readyState === EventSource.CLOSED) again = setTimeout(start, 15000);
    });
    mine.addEventListener("fragment", (event) => {
      const { id, html } = JSON.parse(event.data);
      show(id, html);
    });
  };
  const look = () => (document.hidden ? stop() : start());
  document.addEventListener("visibilitychange", look);
  look();
})();
