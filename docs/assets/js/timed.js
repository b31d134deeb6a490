// What the mock interview and the incident drill share: something drawn, against a clock, in one tab.
"use strict";
{
  const { keyOf, make, button } = window.mlDesign;

  const clamp = (low, value, high) => Math.min(high, Math.max(low, value));

  /** Milliseconds as a clock shows them: 44:59. */
  function clock(ms) {
    const seconds = Math.max(0, Math.ceil(ms / 1000));
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  /** One of those done least often, at random. */
  function leastDone(all, times) {
    const fewest = Math.min(...all.map(times));
    const open = all.filter((each) => times(each) === fewest);
    return open[Math.floor(Math.random() * open.length)];
  }

  /** Stop here once another tab took, ended or began what goes on of a kind, so that neither writes over the other. */
  function inOneTab(kind, { name, current, me, stop, show, panel }) {
    window.addEventListener("storage", (event) => {
      if (event.key !== keyOf(kind)) return;
      const found = current();
      if (found?.now.tab === me) return;
      stop();
      if (!found) return show(); // it was given up, kept or deleted there
      document.body.classList.remove("mock-runs");
      panel.replaceChildren(make("p", {}, `This ${name} goes on in another tab.`), make("p", {}, button("Go on here", show, true)));
    });
  }

  Object.assign(window.mlDesign, { clamp, clock, leastDone, inOneTab });
}
