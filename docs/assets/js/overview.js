// Completes the table of the guide by what you did, and says what comes next.
"use strict";
{
  const { load, day, make, quizOf } = window.mlDesign;
  const table = document.querySelector(".overview");
  const next = make("p", { class: "state", role: "status" });
  const runs = make("p");
  table.before(next);
  table.after(runs);

  // A row has the colour of its phase.
  table.querySelectorAll("tbody tr").forEach((row, i) => row.classList.add(`p${i + 1}`));

  function note(cell, done, all, words) {
    const bar = make("span", { class: "phases--done", "aria-hidden": "true" }, make("span", { class: "seg" }));
    bar.firstChild.style.setProperty("--done", done / all);
    cell.querySelector(".done")?.remove();
    cell.append(make("span", { class: "done" }, bar, make("span", {}, words)));
  }

  function show() {
    const [read, cards, mock] = ["read", "cards", "mock"].map(load);
    let following = null;
    let waiting = 0;
    let asked = 0;
    for (const cell of table.querySelectorAll("[data-pages]")) {
      const pages = cell.dataset.pages.split(" ");
      const left = pages.findIndex((page) => !(page in read));
      following ??= left < 0 ? null : cell.querySelectorAll("a")[left];
      const done = pages.filter((page) => page in read).length;
      note(cell, done, pages.length, `${done} read`);
    }
    for (const cell of table.querySelectorAll("[data-quiz]")) {
      const ids = cell.dataset.questions.split(" ");
      const kept = quizOf(cell.dataset.quiz);
      const answers = ids.filter((id) => id in kept).map((id) => kept[id]);
      const right = answers.filter(([first]) => first);
      asked += answers.filter(([, , due]) => due <= day()).length;
      note(cell, answers.length, ids.length, `${right.length} right of ${answers.length}`);
    }
    for (const cell of table.querySelectorAll("[data-cards]")) {
      const ids = cell.dataset.cards.split(" ");
      const known = ids.filter((id) => cards[id]?.[0] > 0);
      waiting += ids.filter((id) => cards[id]?.[1] <= day()).length;
      note(cell, known.length, ids.length, `${known.length} known`);
    }
    next.replaceChildren();
    if (following) next.append("Go on with ", make("a", { href: following.href }, following.textContent), ". ");
    else next.append("You have read every page. ");
    next.append(`Due today: ${waiting} flashcards, ${asked} questions.`);
    runs.textContent = mock.length
      ? `Mock interviews: ${mock.length}, the last on ${mock.at(-1).date} (${mock.at(-1).title}).`
      : "Mock interviews: none yet.";
  }

  window.addEventListener("storage", show);
  show();
}
