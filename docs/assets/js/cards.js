// Flashcards with spaced repetition. A card that you know comes back after 1, 2, 4, 8, 16 days; one that you do not
// comes back in this sitting, and starts again. Without this, the page lists all cards with folded answers.
"use strict";
{
  const { load, save, day, make, keyOf } = window.mlDesign;
  const SITTING = 20;
  const list = document.querySelector(".all-cards");
  const all = [...list.querySelectorAll("details.card")].map((box) => ({
    id: box.dataset.card,
    section: [...list.querySelectorAll("h2")].filter((h2) => h2.compareDocumentPosition(box) & 4).at(-1).id,
    box,
  }));
  const choice = make("select", { id: "deck", onchange: overview });
  choice.append(make("option", { value: "" }, "The whole guide"));
  for (const heading of list.querySelectorAll("h2")) {
    choice.append(make("option", { value: heading.id }, heading.firstChild.textContent.trim()));
  }
  const state = make("p", { class: "state", role: "status" });
  const start = make("button", { class: "md-button md-button--primary", type: "button", onclick: sit });
  const table = make("div", { class: "sitting", hidden: true, onkeydown: keys });
  const panel = make(
    "section",
    { class: "trainer", "aria-label": "Practise" },
    make("p", {}, make("label", { for: "deck" }, "Cards of "), choice),
    state,
    start,
    table,
  );
  list.before(panel);

  const mine = () => all.filter((card) => !choice.value || card.section === choice.value);

  /** Cards to see now: those due, the longest waiting first, then new ones in the order of the guide. */
  function due() {
    const known = load("cards");
    const waiting = mine().filter((card) => known[card.id]?.[1] <= day());
    waiting.sort((a, b) => (known[a.id][1] < known[b.id][1] ? -1 : known[a.id][1] > known[b.id][1] ? 1 : 0));
    return { waiting, fresh: mine().filter((card) => !known[card.id]) };
  }

  function overview() {
    const { waiting, fresh } = due();
    const later = mine().length - waiting.length - fresh.length;
    state.textContent = `${waiting.length} due today, ${fresh.length} new, ${later} known until later.`;
    const next = Math.min(SITTING, waiting.length + fresh.length);
    start.textContent = next ? `Practise ${next} cards` : "Nothing is due: go through all";
    table.hidden = true;
    start.hidden = false;
  }

  let queue, total, done;

  function sit() {
    const { waiting, fresh } = due();
    queue = [...waiting, ...fresh].slice(0, SITTING);
    if (!queue.length) queue = mine();
    total = queue.length;
    done = 0;
    start.hidden = true;
    table.hidden = false;
    ask();
  }

  function ask() {
    const card = queue[0];
    if (!card) {
      stop();
      state.prepend(`Done: ${total} cards. `);
      return;
    }
    const question = make("p", { class: "question", tabindex: -1 });
    question.append(...[...card.box.querySelector("summary").childNodes].map((node) => node.cloneNode(true)));
    const show = make("button", { type: "button", class: "md-button", onclick: () => answer(card) }, "Show the answer");
    const leave = make("button", { type: "button", onclick: stop }, "Stop");
    const count = make("p", { class: "count" }, `${done + 1} of ${total} `, leave);
    table.replaceChildren(count, question, make("div", { class: "controls" }, show));
    question.focus();
  }

  function answer(card) {
    const text = make("div", { class: "answer", tabindex: -1 });
    text.append(...[...card.box.children].slice(1).map((node) => node.cloneNode(true)));
    const choose = (knew) => ({ type: "button", class: "md-button", onclick: () => grade(card, knew) });
    const key = (name) => make("span", { class: "key" }, ` (${name})`);
    const controls = table.querySelector(".controls");
    controls.before(text);
    controls.replaceChildren(
      make("button", choose(false), "Again", key("1")),
      make("button", choose(true), "I knew it", key("2")),
    );
    text.focus();
  }

  function stop() {
    overview();
    start.focus();
  }

  function grade(card, knew) {
    const known = { ...load("cards") };
    const before = known[card.id]?.[0] ?? 0;
    known[card.id] = knew ? [before + 1, day(2 ** Math.min(before, 4))] : [0, day()];
    save("cards", known);
    queue.shift();
    if (knew) done += 1;
    else queue.push(card);
    ask();
  }

  function keys(event) {
    if (event.target.closest("a, button") && (event.key === " " || event.key === "Enter")) return; // theirs
    const buttons = table.querySelectorAll(".controls button");
    const press = { 1: buttons.length === 2 && buttons[0], 2: buttons[1], " ": buttons.length === 1 && buttons[0] };
    if (event.ctrlKey || event.altKey || event.metaKey || !press[event.key]) return;
    event.preventDefault();
    press[event.key].click();
  }

  window.addEventListener("storage", (event) => event.key === keyOf("cards") && table.hidden && overview());
  overview();
}
