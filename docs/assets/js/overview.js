// Completes the table of the guide by what you did.
"use strict";
{
  const { load, make, quizOf } = window.mlDesign;
  const table = document.querySelector(".overview");
  const runs = make("p");
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
    const [read, cards, mock, exercises] = ["read", "cards", "mock", "exercises"].map(load);
    for (const cell of table.querySelectorAll("[data-pages]")) {
      const pages = cell.dataset.pages.split(" ");
      const done = pages.filter((page) => page in read).length;
      note(cell, done, pages.length, `${done} read`);
    }
    for (const cell of table.querySelectorAll("[data-quiz]")) {
      const ids = cell.dataset.questions.split(" ");
      const kept = quizOf(cell.dataset.quiz);
      const answers = ids.filter((id) => id in kept).map((id) => kept[id]);
      const right = answers.filter(([first]) => first);
      note(cell, answers.length, ids.length, `${right.length} right of ${answers.length}`);
    }
    for (const cell of table.querySelectorAll("[data-cards]")) {
      const ids = cell.dataset.cards.split(" ");
      const known = ids.filter((id) => cards[id]?.[0] > 0);
      note(cell, known.length, ids.length, `${known.length} known`);
    }
    for (const cell of table.querySelectorAll("[data-exercises]")) {
      const names = cell.dataset.exercises.split(" ");
      const done = names.filter((name) => name in exercises).length;
      note(cell, done, names.length, `${done} done`);
    }
    runs.textContent = mock.length
      ? `Mock interviews: ${mock.length}, the last on ${mock.at(-1).date} (${mock.at(-1).title}).`
      : "Mock interviews: none yet.";
  }

  window.addEventListener("storage", show);
  show();
}
