// Which exercises were done: a box to tick in each, and in the list of all. Without this there are no boxes.
"use strict";
{
  const { load, save, day, make, keyOf } = window.mlDesign;
  const boxes = []; // [checkbox, exercise]
  const marks = []; // [mark, exercise]
  const list = document.querySelector(".all-exercises");
  const said = make("p", { class: "state", role: "status" });

  function box(exercise, label) {
    const input = make("input", { type: "checkbox", "aria-label": label ?? false, onchange: () => mark(exercise, input.checked) });
    boxes.push([input, exercise]);
    return input;
  }

  function mark(exercise, done) {
    const all = { ...load("exercises") };
    if (done) all[exercise] = day();
    else delete all[exercise];
    save("exercises", all);
    show();
  }

  function show() {
    const all = load("exercises");
    for (const [input, exercise] of boxes) input.checked = exercise in all;
    for (const [mark, exercise] of marks) mark.hidden = !(exercise in all);
    const done = boxes.filter(([input]) => input.checked).length;
    if (list) said.textContent = `${done} of ${boxes.length} exercises done.`;
  }

  for (const exercise of document.querySelectorAll("details.exercise")) {
    const name = exercise.id.replace("write-", "");
    const mark = make("small", {}, " ✓\u00a0done");
    exercise.querySelector("summary").append(mark);
    exercise.append(make("p", {}, make("label", { class: "tick" }, box(name), " I have done this exercise")));
    marks.push([mark, name]);
  }
  for (const link of list?.querySelectorAll('a[href*="#write-"]') ?? []) {
    link.before(box(link.hash.replace("#write-", ""), `Done: ${link.textContent}`));
  }
  list?.before(said);
  window.addEventListener("storage", ({ key }) => key === keyOf("exercises") && show());
  show();
}
