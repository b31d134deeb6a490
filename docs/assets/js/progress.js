// Which pages were read. Without it the pages are the same, less the boxes to tick.
"use strict";
{
  const { pageOf, load, save, day, keyOf, make, phaseBar } = window.mlDesign;
  const PHASES = ["problem/", "training-data/", "features/", "modeling/", "evaluation/"];

  function mark(page, done) {
    const read = { ...load("read") };
    if (done) read[page] = day();
    else delete read[page];
    save("read", read);
    show();
  }

  const boxes = []; // [checkbox, page]

  function box(page, label) {
    const input = document.createElement("input");
    input.type = "checkbox";
    if (label) input.setAttribute("aria-label", label);
    input.addEventListener("change", () => mark(page, input.checked));
    boxes.push([input, page]);
    return input;
  }

  const plans = []; // {bar, text, items: [[page, minutes, link]]}

  function addPlan(heading) {
    const items = [];
    for (let next = heading.nextElementSibling; next && next.tagName !== "H2"; next = next.nextElementSibling) {
      for (const item of next.tagName === "UL" ? next.children : []) {
        const link = item.querySelector("a");
        const page = pageOf(link.href);
        item.prepend(box(page, `Read: ${link.textContent}`));
        items.push([page, parseInt(item.querySelector(".reading")?.textContent ?? "0", 10), link]);
      }
    }
    const { bar, fill } = phaseBar("done");
    const text = make("p", { class: "progress", role: "status" });
    heading.after(bar, text);
    plans.push({ fill, text, items });
  }

  function show() {
    const read = load("read");
    for (const [input, page] of boxes) input.checked = page in read;
    for (const { fill, text, items } of plans) {
      const left = items.filter(([page]) => !(page in read));
      const done = items.length - left.length;
      const share = (own) => (own.length ? own.filter(([page]) => page in read).length / own.length : 0);
      fill(PHASES.map((phase) => share(items.filter(([page]) => page.startsWith(phase)))));
      const minutes = left.reduce((sum, [, own]) => sum + own, 0);
      text.textContent = `${done} of ${items.length} pages read`;
      if (left.length && done) {
        const next = document.createElement("a");
        next.href = left[0][2].href;
        next.textContent = left[0][2].textContent;
        text.append(`, ${minutes} min left. Next: `, next);
      }
    }
    for (const link of document.querySelectorAll(".outline a[href]")) {
      const done = (pageOf(link.href) ?? "") in read;
      link.classList.toggle("is-read", done);
      if (done) link.title = "You have read this page";
      else link.removeAttribute("title");
    }
  }

  for (const heading of document.querySelectorAll(".plan h2")) addPlan(heading);
  const article = document.querySelector("article.md-content__inner");
  if (article?.querySelector(".facts .reading-time") && !document.querySelector(".plan")) {
    const label = document.createElement("label");
    label.className = "read-this";
    label.append(box(pageOf(location.href)), " I have read this page");
    article.append(label);
  }
  window.addEventListener("storage", (event) => event.key === keyOf("read") && show());
  show();
}
