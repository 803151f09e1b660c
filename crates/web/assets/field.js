// What captures and sessions do better with a script: keys to what lies beside and above, and
// zoom. Each key does what a link or a field of the page does, so nothing is out of reach without;
// letters are heard only at the picture, for elsewhere somebody may dictate them.
"use strict";
(() => {
  const viewer = document.querySelector("[data-viewer]");
  const picture = viewer && viewer.querySelector(".picture");
  let scale = 1;

  // The point under the pointer, or the middle, stays where it is.
  const zoom = (to, x, y) => {
    const next = Math.min(Math.max(to, 1), 16);
    if (!picture || next === scale) return;
    const frame = viewer.getBoundingClientRect();
    const left = (x ?? frame.left + frame.width / 2) - frame.left;
    const top = (y ?? frame.top + frame.height / 2) - frame.top;
    const across = (viewer.scrollLeft + left) / scale;
    const down = (viewer.scrollTop + top) / scale;
    viewer.style.height = next === 1 ? "" : `${frame.height}px`;
    picture.style.width = next === 1 ? "" : `${next * 100}%`;
    scale = next;
    viewer.scrollLeft = across * next - left;
    viewer.scrollTop = down * next - top;
  };
  const zooms = { in: () => zoom(scale * 1.5), out: () => zoom(scale / 1.5), fit: () => zoom(1) };
  document.querySelectorAll("[data-zoom]").forEach((button) => {
    button.addEventListener("click", zooms[button.dataset.zoom]);
  });
  if (viewer) {
    viewer.tabIndex = 0;
    viewer.addEventListener("dblclick", (e) => zoom(scale > 1 ? 1 : 3, e.clientX, e.clientY));
    viewer.addEventListener("wheel", (e) => {
      if (!e.ctrlKey) return;
      e.preventDefault();
      zoom(scale * (e.deltaY < 0 ? 1.2 : 1 / 1.2), e.clientX, e.clientY);
    }, { passive: false });
    let held = null;
    viewer.addEventListener("pointerdown", (e) => {
      if (scale > 1 && e.pointerType === "mouse") held = [e.clientX, e.clientY];
    });
    addEventListener("pointermove", (e) => {
      if (!held) return;
      viewer.scrollBy(held[0] - e.clientX, held[1] - e.clientY);
      held = [e.clientX, e.clientY];
    });
    addEventListener("pointerup", () => { held = null; });
    viewer.addEventListener("dragstart", (e) => e.preventDefault());
  }

  const follow = (css) => {
    const link = document.querySelector(`main ${css}`);
    if (link) link.click();
    return Boolean(link);
  };
  const keys = {
    ArrowLeft: () => follow("a[rel=prev]"),
    ArrowRight: () => follow("a[rel=next]"),
    Escape: () => (scale > 1 ? (zoom(1), true) : follow("a[data-up]")),
  };
  const atPicture = {
    b: () => follow("[data-boxes]"),
    "+": () => (zooms.in(), true),
    "-": () => (zooms.out(), true),
    0: () => (zooms.fit(), true),
  };
  // Where something can be scrolled sideways, arrows do that.
  const scrolls = (at) => {
    for (; at && at !== document.body; at = at.parentElement) {
      if (at.scrollWidth > at.clientWidth && /auto|scroll/.test(getComputedStyle(at).overflowX)) return true;
    }
    return false;
  };
  addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.defaultPrevented) return;
    if (e.target.matches("input:not([type=checkbox]), select, textarea")) return;
    if (e.key.startsWith("Arrow") && (scale > 1 || scrolls(e.target))) return;
    const key = keys[e.key] || (e.target.closest("[data-viewer], .viewing") && atPicture[e.key]);
    if (key && key()) e.preventDefault();
  });
})();
