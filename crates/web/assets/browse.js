// Browsable pages of the API with a script: requests with their real methods, the answer in place
// of the page's content; rows found by their names; the tab that was used last. Without it the
// same forms work as they are. All listeners stand on the document, so exchanged content needs
// no care.
"use strict";
(() => {
  const find = (css, from = document) => from.querySelector(css);
  const word = () => document.body.dataset.csrf || "";

  // --- Sending -----------------------------------------------------------------------------
  const prepare = (form, button) => {
    const data = new FormData(form, button);
    const method = data.get("_method") || "POST";
    const content = data.get("_content");
    const headers = { Accept: "text/html; q=1.0, */*" };
    if (word()) headers["X-CSRFToken"] = word();
    if (method === "OPTIONS" || method === "DELETE") return { method, headers };
    if (content !== null) {
      headers["Content-Type"] = data.get("_content_type");
      return { method, headers, body: content };
    }
    data.delete("_method");
    data.delete("csrfmiddlewaretoken");
    const isFiles = form.getAttribute("enctype") === "multipart/form-data";
    return { method, headers, body: isFiles ? data : new URLSearchParams(data) };
  };
  const show = async (answer) => {
    const text = await answer.text();
    const is = (kind) => (answer.headers.get("Content-Type") || "").startsWith(kind);
    const main = find("main");
    if (is("text/html")) {
      const page = new DOMParser().parseFromString(text, "text/html");
      main.replaceChildren(...find("main", page).childNodes);
      document.title = page.title;
      if (page.body.dataset.csrf) document.body.dataset.csrf = page.body.dataset.csrf;
    } else {
      const pre = document.createElement("pre");
      pre.className = "response";
      pre.textContent = text;
      main.replaceChildren(pre);
    }
    prepareContent();
    const wrong = find("[aria-invalid]", main);
    if (wrong && wrong.offsetParent) wrong.focus();
    else scrollTo(0, 0);
  };
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.matches("[data-filter]")) {
      for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
      return;
    }
    if (!form.matches("[data-send]")) return;
    event.preventDefault();
    const button = event.submitter;
    const request = prepare(form, button);
    if (button) button.disabled = true;
    try {
      // A field may be named "action", so the property is not to be trusted.
      await show(await fetch(form.getAttribute("action"), request));
    } catch {
      say(form, "The server did not answer. Whether it did what you asked is not known: look again before you send it again.");
      if (button) button.disabled = false;
    }
  });
  const say = (form, text) => {
    const line = find(".unsent", form) || form.appendChild(document.createElement("p"));
    line.className = "failed unsent";
    line.setAttribute("role", "alert");
    line.textContent = text;
  };

  // --- Tabs --------------------------------------------------------------------------------
  document.addEventListener("change", (event) => {
    if (event.target.matches("input.tab")) {
      document.cookie = `tabstyle=${event.target.value}; path=/api/; max-age=31536000; samesite=lax`;
    }
  });

  // --- Rows found by their names -------------------------------------------------------------
  const named = (row) => row.name || row.path || row.email || row.slug || `number ${row.id}`;
  const ask = async (url) => {
    const answer = await fetch(url, { headers: { Accept: "application/json" } });
    return answer.ok ? answer.json() : null;
  };
  const close = (pick) => {
    find(".picks", pick)?.remove();
    const input = find("input", pick);
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (pick, option) => {
    const input = find("input", pick);
    input.value = option.dataset.id;
    find(".picked", pick).textContent = option.dataset.name;
    close(pick);
    input.focus();
    close(pick);
  };
  const look = async (pick, words) => {
    const searched = "searched" in pick.dataset;
    const query = new URLSearchParams({ limit: searched ? 20 : 200 });
    if (searched && words) query.set("search", words);
    const project = pick.closest("form").elements.project_id?.value;
    if (/^\d+$/.test(project || "")) query.set("project_id", project);
    const turn = (pick.turn = (pick.turn || 0) + 1);
    const list = await ask(`${pick.dataset.rows}?${query}`).catch(() => null);
    if (turn !== pick.turn || !pick.contains(document.activeElement)) return;
    const has = (row) => searched || named(row).toLowerCase().includes(words.toLowerCase());
    offer(pick, ((list && list.results) || []).filter(has).slice(0, 20));
  };
  const offer = (pick, rows) => {
    close(pick);
    if (!rows.length) return;
    const input = find("input", pick);
    const list = document.createElement("ul");
    list.className = "picks";
    list.id = `${input.id}-rows`;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "Rows");
    rows.forEach((row, i) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${i}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.id = row.id;
      option.dataset.name = named(row);
      option.textContent = `${named(row)} (${row.id})`;
      list.append(option);
    });
    pick.append(list);
    input.setAttribute("aria-expanded", "true");
    input.setAttribute("aria-controls", list.id);
  };
  const mark = (pick, step) => {
    const options = [...pick.querySelectorAll("[role=option]")];
    const now = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
    const next = options[(now + step + options.length) % options.length];
    options.forEach((option) => option.setAttribute("aria-selected", String(option === next)));
    next.scrollIntoView({ block: "nearest" });
    find("input", pick).setAttribute("aria-activedescendant", next.id);
  };
  const pickOf = (event) => event.target.closest?.("[data-rows]");
  let pause;
  document.addEventListener("input", (event) => {
    const pick = pickOf(event);
    if (!pick) return;
    find(".picked", pick).textContent = "";
    clearTimeout(pause);
    pause = setTimeout(() => look(pick, event.target.value.trim()), 200);
  });
  document.addEventListener("focusin", (event) => {
    for (const open of document.querySelectorAll("[data-rows]:has(.picks)")) {
      if (!open.contains(event.target)) close(open);
    }
  });
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest(".picks [role=option]");
    if (option) { event.preventDefault(); choose(pickOf(event), option); }
  });
  document.addEventListener("keydown", (event) => {
    const pick = pickOf(event);
    if (!pick) return;
    const open = find(".picks", pick);
    const marked = open && find("[aria-selected=true]", open);
    if (event.key === "ArrowDown" && !open) look(pick, "");
    else if (event.key === "ArrowDown" && open) mark(pick, 1);
    else if (event.key === "ArrowUp" && open) mark(pick, marked ? -1 : 0);
    else if (event.key === "Enter" && marked) choose(pick, marked);
    else if (event.key === "Escape" && open) close(pick);
    else return;
    event.preventDefault();
  });
  const prepareContent = () => {
    document.querySelectorAll("[data-needs-script]").forEach((e) => { e.hidden = false; });
    for (const pick of document.querySelectorAll("[data-rows]")) {
      const input = find("input", pick);
      input.setAttribute("role", "combobox");
      input.setAttribute("aria-autocomplete", "list");
      input.setAttribute("aria-expanded", "false");
      input.placeholder = "name or number";
      const shown = find(".picked", pick);
      if (/^\d+$/.test(input.value) && !shown.textContent) {
        ask(`${pick.dataset.rows}${input.value}/`).then((row) => {
          if (row && row.id !== undefined) shown.textContent = named(row);
        }).catch(() => {});
      }
    }
  };
  prepareContent();
})();
