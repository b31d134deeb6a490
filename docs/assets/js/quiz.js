// A quiz: choose or work out, check, read why. What was wrong is asked again, in this sitting and from the next day on.
// Without this, each option, and each number to work out, unfolds its explanation.
"use strict";
{
  const { pageOf, load, save, day, make, keyOf, quizOf } = window.mlDesign;
  const page = pageOf(location.href);
  const questions = [...document.querySelectorAll("article h2")].map(read).filter(Boolean);
  const ids = new Set(questions.map(({ id }) => id));
  const score = make("p", { role: "status" });
  const pages = make("ul");
  const again = make("button", { type: "button", class: "md-button md-button--primary", onclick: askAgain });
  const all = make("button", { type: "button", class: "md-button", onclick: showAll }, "Show all questions");
  const rest = make("button", { type: "button", class: "md-button", onclick: goOn });
  const anew = make("button", { type: "button", class: "md-button", onclick: restart }, "Start again");
  const controls = make("p", { class: "controls" }, again, " ", rest, " ", all, " ", anew);
  const panel = make("section", { class: "trainer", "aria-label": "Your result", tabindex: -1 }, score, pages, controls);
  questions[0].box.before(panel);

  /** A question: its heading and what is below it become one box with a form. */
  function read(heading) {
    const parts = [];
    for (let next = heading.nextElementSibling; next && !next.matches("h2, .read-this"); next = next.nextElementSibling) parts.push(next);
    const options = parts.filter((part) => part.matches("details.right, details.wrong"));
    const draws = parts.flatMap((part) => [...part.querySelectorAll("details.sum")]);
    if (!options.length && !draws.length) return null;
    const verdict = make("p", { class: "verdict", role: "status" });
    const button = make("button", { class: "md-button" }, "Check");
    const form = make("form", { "aria-labelledby": heading.id });
    const box = make("section", { class: "asked" });
    heading.before(box);
    box.append(heading, form);
    const it = { id: heading.id, heading, box, form, verdict, button, ...(options.length ? choice : sum)(options.length ? options : draws, heading.id) };
    for (const part of parts) if (!part.matches("details, .sums")) form.before(part); // a word before the options
    form.append(...it.fields, make("p", { class: "controls" }, button), verdict);
    for (const part of parts) if (part.matches("details, .sums")) part.remove();
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!it.answered()) verdict.textContent = options.length ? "Choose one first." : "Write a number first, such as 1200, 3.5 or 2e6.";
      else if (!button.hidden) check(it);
    });
    return it;
  }

  /** Options as radio buttons, the explanation of each below it. */
  function choice(options, name) {
    const rows = options.map((option, i) => {
      const input = make("input", { type: "radio", name, id: `${name}-${i}` });
      const label = make("label", { for: input.id });
      label.append(...option.querySelector("summary").childNodes);
      option.querySelector("summary").remove();
      const why = make("div", { class: "why", hidden: true });
      why.append(...option.childNodes);
      const row = make("div", { class: "option" }, input, label, why);
      return { input, why, row, right: option.classList.contains("right") };
    });
    return {
      fields: rows.map(({ row }) => row),
      answered: () => rows.some(({ input }) => input.checked),
      isRight: () => rows.some(({ input, right }) => input.checked && right),
      links: () => rows.filter(({ right }) => !right).flatMap(({ why }) => [...why.querySelectorAll("a[href]")]),
      reveal(open) {
        for (const { input, why, row, right } of rows) {
          why.hidden = !open;
          input.disabled = open;
          row.classList.toggle("is-right", open && right);
          row.classList.toggle("is-wrong", open && !right && input.checked);
        }
      },
      clear() {
        for (const { input } of rows) input.checked = false;
        rows[0].row.before(rows.at(-1).row); // in another order, so that nobody learns the place
        rows.unshift(rows.pop());
      },
    };
  }

  /** A number to work out, one of its draws at a time. */
  function sum(draws, name) {
    let at = 0;
    const text = make("p");
    const id = `${name}-number`;
    const input = make("input", { type: "text", inputmode: "decimal", autocomplete: "off", id });
    const unit = make("span");
    const why = make("div", { class: "why", hidden: true });
    const show = () => {
      text.textContent = draws[at].querySelector("summary").textContent;
      unit.textContent = ` ${draws[at].dataset.unit}`;
      why.replaceChildren(...[...draws[at].querySelectorAll("p")].map((p) => p.cloneNode(true)));
    };
    show();
    return {
      fields: [text, make("p", { class: "number" }, make("label", { for: id }, "Your answer "), input, unit), why],
      answered: () => number(input.value) !== null,
      isRight: () => {
        const { answer, within } = draws[at].dataset;
        return Math.abs(number(input.value) - answer) <= Math.abs(answer) * within * (1 + 1e-9);
      },
      links: () => [...why.querySelectorAll("a[href]")],
      reveal(open) {
        why.hidden = !open;
        input.disabled = open;
      },
      clear() {
        input.value = "";
        at = (at + 1) % draws.length; // with other numbers
        show();
      },
    };
  }

  /** What somebody wrote, as a number: 1,200 or 1 200 or 3.5 % or 2e6 or 12k or 3M; null if it is none. */
  function number(text) {
    const plain = text.trim().replace(/[%\s_]/g, "").replace(/,(?=\d{3}(\D|$))/g, "").replace(",", ".");
    const found = /^([+\-−]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(k|m|million|bn|billion)?$/i.exec(plain);
    if (!found) return null;
    const scale = { k: 1e3, m: 1e6, million: 1e6, bn: 1e9, billion: 1e9 }[found[2]?.toLowerCase()] ?? 1;
    return Number(found[1].replace("−", "-")) * scale;
  }

  /** What is kept of the questions that are there. */
  const kept = () => Object.fromEntries(Object.entries(quizOf(page)).filter(([id]) => ids.has(id)));

  function keep(id, right) {
    const before = kept()[id];
    const times = right ? (before?.[1] ?? 0) + 1 : 0;
    const first = before === undefined ? right : before[0];
    const all = load("quiz");
    save("quiz", { ...all, [page]: { ...all[page], [id]: [first, times, day(right ? 2 ** Math.min(times, 5) : 1)] } });
  }

  function check(it) {
    const right = it.isRight();
    keep(it.id, right);
    close(it, right);
    show();
  }

  /** Show what is right and why; there is nothing more to choose. */
  function close(it, right) {
    it.reveal(true);
    it.button.hidden = true;
    it.verdict.textContent = right ? "Right." : "Not this time. It is asked again.";
    it.box.classList.toggle("is-right", right);
    it.box.classList.toggle("is-wrong", !right);
  }

  function open(it) {
    it.reveal(false);
    it.clear();
    it.button.hidden = false;
    it.verdict.textContent = "";
    it.box.classList.remove("is-right", "is-wrong");
  }

  /** Missed and not known since, or known so long ago that it is asked again. */
  const waiting = (answers) => questions.filter(({ id }) => id in answers && (answers[id][1] === 0 || answers[id][2] <= day()));

  function show() {
    const answers = kept();
    const answered = questions.filter(({ id }) => id in answers);
    const right = answered.filter(({ id }) => answers[id][0]);
    const left = questions.length - answered.length;
    const back = waiting(answers).length;
    score.textContent = answered.length
      ? `${left ? "" : "Your result: "}${right.length} of ${answered.length} right at first${left ? `, ${left} to go` : ""}${back ? `, ${back} to ask again` : ""}.`
      : `${questions.length} questions. Choose or work out, then check: your first answer counts.`;
    const links = new Map();
    for (const link of answered.filter(({ id }) => !answers[id][0]).flatMap((it) => it.links())) {
      links.set(link.href.split("#")[0], link.textContent);
    }
    pages.replaceChildren(...[...links].map(([href, text]) => make("li", {}, "Read ", make("a", { href }, text))));
    again.textContent = `Ask ${back === 1 ? "the one" : `the ${back}`} again`;
    again.hidden = !back;
    rest.textContent = left === 1 ? "Go on with the one left" : `Go on with the ${left} left`;
    rest.hidden = !answered.length || !left;
    anew.hidden = !answered.length;
    all.hidden = questions.every(({ box }) => !box.hidden);
  }

  function only(some) {
    for (const it of questions) it.box.hidden = !some.includes(it);
    some.forEach(open);
    show();
    some[0].form.querySelector("input").focus();
  }

  function askAgain() {
    only(waiting(kept()));
  }

  function goOn() {
    const answers = kept();
    only(questions.filter(({ id }) => !(id in answers)));
  }

  function showAll() {
    for (const { box } of questions) box.hidden = false;
    show();
    panel.focus();
  }

  function restart() {
    if (!window.confirm("Forget your answers to this quiz?")) return;
    const { [page]: _, ...others } = load("quiz");
    save("quiz", others);
    questions.forEach(open);
    showAll();
  }

  for (const it of questions) {
    const answer = kept()[it.id];
    if (answer === undefined) continue;
    if (!waiting({ [it.id]: answer }).length) close(it, true);
    else it.verdict.textContent = answer[1] ? "Asked again, after some days." : "Missed before, so it is asked again.";
  }
  window.addEventListener("storage", (event) => event.key === keyOf("quiz") && show());
  show();
}
