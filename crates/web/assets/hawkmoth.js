// What pages cannot do without a script: live fragments, a level of the log in place, light and dark,
// menus that close; what browsable pages do better with one stands in browse.js.
// Everything else works without it. A fragment replaces the content of the element with its
// name; an element that holds the focus or a selection is left alone until it is left.
"use strict";
(() => {
  const root = document.documentElement;
  // The server writes what was chosen into the page, so that none is drawn in the other colours
  // first; a page that the browser had kept may be older than the choice.
  const kept = /(?:^|; )hawkmoth_theme=(dark|light)(?:;|$)/.exec(document.cookie);
  if (kept) root.dataset.theme = kept[1];
  const button = document.querySelector("[data-theme-switch]");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark"
        : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      document.cookie = `hawkmoth_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
    });
  }
  const reveal = () => document.querySelectorAll("[data-needs-script]").forEach((e) => { e.hidden = false; });
  reveal();
  document.querySelectorAll("[data-all]").forEach((all) => all.addEventListener("change", () => {
    const boxes = all.form.querySelectorAll(`input[name="${all.dataset.all}"]`);
    boxes.forEach((box) => { box.checked = all.checked; });
  }));

  // A menu closes by a click elsewhere and by Escape, which then does nothing else.
  document.addEventListener("click", (event) => {
    const close = event.target.closest("[data-close]");
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (close || !menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    const open = "details.menu[open]";
    const menu = event.key === "Escape" && (event.target.closest?.(open) || document.querySelector(open));
    if (!menu) return;
    event.preventDefault();
    menu.open = false;
    menu.querySelector("summary").focus();
  });

  const live = document.querySelector("[data-live]");
  if (!live || !window.EventSource) return;
  const selected = (element) => {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed && element.contains(selection.anchorNode);
  };
  const summaries = (of) => [...of.querySelectorAll("details > summary")];
  const waiting = new Map();
  const show = (id, html) => {
    const element = document.getElementById(id);
    if (!element) return;
    const next = document.createElement("template");
    next.innerHTML = html;
    // Who has opened a menu, or just closed it, finds it as it was, if it is still there.
    const focus = element.contains(document.activeElement) && document.activeElement;
    const same = focus && focus.matches("summary")
      && summaries(next.content).find((summary) => summary.textContent === focus.textContent);
    const still = id === "log" && document.querySelector("[data-follow]:not(:checked)");
    if (still || selected(element) || (focus && !same)) { waiting.set(id, html); return; }
    waiting.delete(id);
    const open = summaries(element).filter((summary) => summary.parentElement.open);
    const words = open.map((summary) => summary.textContent);
    const held = hold(element);
    element.replaceChildren(next.content);
    for (const summary of summaries(element)) {
      if (words.includes(summary.textContent)) summary.parentElement.open = true;
    }
    if (same) same.focus();
    if (held) held();
  };
  // Who has scrolled through a log reads it: the line that is uppermost stays where it is while new
  // ones come above it. Where it is not among the newest any more, the oldest is shown.
  const hold = (element) => {
    const frame = element.closest(".lines");
    if (!frame || !frame.scrollTop) return null;
    const place = (line) => line.getBoundingClientRect().top - frame.getBoundingClientRect().top;
    const lines = [...element.querySelectorAll("[data-line]")];
    const line = lines.find((line) => place(line) + line.offsetHeight > 0);
    if (!line) return null;
    const before = place(line);
    return () => {
      const same = element.querySelector(`[data-line="${line.dataset.line}"]`);
      frame.scrollTop = same ? frame.scrollTop + place(same) - before : frame.scrollHeight;
    };
  };
  const catchUp = () => setTimeout(() => waiting.forEach((html, id) => show(id, html)), 200);
  ["focusout", "selectionchange"].forEach((name) => document.addEventListener(name, catchUp));
  document.addEventListener("toggle", catchUp, true);
  document.addEventListener("change", (event) => { if (event.target.matches("[data-follow]")) catchUp(); });

  // Another level is asked of the server, which looks through the whole log. What it answers stands
  // still; with all lines the log follows again.
  let turn = 0;
  document.addEventListener("change", async (event) => {
    if (!event.target.matches("[data-log-level]")) return;
    const form = event.target.form;
    const mine = (turn += 1);
    const address = `${form.getAttribute("action").split("#")[0]}?${new URLSearchParams(new FormData(form))}`;
    const answer = await fetch(address).catch(() => null);
    if (mine !== turn) return;
    if (!answer || !answer.ok) { form.submit(); return; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== turn) return;
    waiting.delete("log");
    for (const id of ["log-tools", "log-lines"]) {
      document.getElementById(id).replaceChildren(...page.getElementById(id).childNodes);
    }
    reveal();
    history.replaceState(null, "", address);
  });

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
      lost ??= setTimeout(() => say("Not live: the server cannot be reached. What you see may be out of date."), 5000);
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
