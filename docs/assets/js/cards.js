// Flashcards with spaced repetition. A card that you know comes back after 1, 2, 4, 8, 16 days; one that you do not
// comes back in this sitting, and starts again. Without this, the page lists all cards with folded answers.
"use strict";
{
  const { load, save, day, digest, count, make, keyOf, kinds } = window.mlDesign;
  const GOALS = [10, 20, 40];
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
  const goal = make("select", { id: "goal", onchange: () => (save("goal", Number(goal.value)), overview()) });
  for (const number of GOALS) goal.append(make("option", { value: number }, `${number} cards`));
  const reached = make("span", { role: "status" });
  const state = make("p", { class: "state", role: "status" });
  const start = make("button", { class: "md-button md-button--primary", type: "button", onclick: sit });
  const table = make("div", { class: "sitting", hidden: true, onkeydown: keys });
  const panel = make(
    "section",
    { class: "trainer", "aria-label": "Practise" },
    make("p", {}, make("label", { for: "deck" }, "Cards of "), choice),
    state,
    start,
    make("p", {}, make("label", { for: "goal" }, "Daily goal "), goal, " ", reached),
    table,
  );
  list.before(panel);
  // Folded, so that no answer is read before it is asked for.
  const folded = make("details", { class: "question" }, make("summary", {}, "All cards with their answers"));
  list.before(folded);
  folded.append(list);

  const mine = () => all.filter((card) => !choice.value || card.section === choice.value);

  /** Cards to see now: those due, the longest waiting first, then new ones; of one day in an order drawn for today. */
  function due() {
    const known = load("cards");
    const drawn = new Map(mine().map((card) => [card, digest(`${day()} ${card.id}`)]));
    const cards = mine().sort((a, b) => drawn.get(a) - drawn.get(b));
    const waiting = cards.filter((card) => known[card.id]?.[1] <= day());
    waiting.sort((a, b) => known[a.id][1].localeCompare(known[b.id][1]));
    return { waiting, fresh: cards.filter((card) => !known[card.id]) };
  }

  /** How many of all cards were answered today. */
  function today() {
    const known = load("cards");
    return all.filter(({ id }) => known[id] && kinds.cards.since(known[id]) === Date.parse(day())).length;
  }

  /** A sitting is what the goal leaves of today; once it is reached, as many again. */
  const sitting = () => Math.max(load("goal") - today(), 0) || load("goal");

  function overview() {
    const { waiting, fresh } = due();
    const later = mine().length - waiting.length - fresh.length;
    state.textContent = `${waiting.length} due today, ${fresh.length} new, ${later} known until later.`;
    const next = Math.min(sitting(), waiting.length + fresh.length);
    start.textContent = next ? `Practise ${count(next, "card")}` : "Nothing is due: go through all";
    goal.value = GOALS.includes(load("goal")) ? load("goal") : "";
    reached.textContent = `${today()} of ${load("goal")} today`;
    table.hidden = true;
    start.hidden = false;
    document.body.classList.remove("sits");
  }

  let queue, total, done;

  function sit() {
    const { waiting, fresh } = due();
    queue = [...waiting, ...fresh].slice(0, sitting());
    if (!queue.length) queue = mine();
    total = queue.length;
    done = 0;
    start.hidden = true;
    table.hidden = false;
    document.body.classList.add("sits"); // nothing else is on the screen
    ask();
  }

  function ask() {
    const card = queue[0];
    if (!card) {
      stop();
      state.prepend(`Done: ${count(total, "card")}. `);
      return;
    }
    const question = make("p", { class: "question", tabindex: -1 });
    question.append(...[...card.box.querySelector("summary").childNodes].map((node) => node.cloneNode(true)));
    const show = make("button", { type: "button", class: "md-button", onclick: () => answer(card) }, "Show the answer");
    const leave = make("button", { type: "button", onclick: stop }, "Stop");
    const place = make("p", { class: "count" }, `${done + 1} of ${total} `, leave);
    table.replaceChildren(place, question, make("div", { class: "controls" }, show));
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

  /** A link to a section's cards chooses them. */
  function choose() {
    const named = [...choice.options].find(({ value }) => value && value === location.hash.slice(1));
    if (!named || !table.hidden) return;
    choice.value = named.value;
    overview();
    panel.scrollIntoView();
  }

  const ours = [keyOf("cards"), keyOf("goal"), null];
  window.addEventListener("storage", ({ key }) => ours.includes(key) && table.hidden && overview());
  window.addEventListener("hashchange", choose);
  overview();
  choose();
}
