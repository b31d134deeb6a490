// Counts a quiz: the first option you open is your answer. Without this, each option still unfolds its explanation.
"use strict";
{
  const { pageOf, load, save, make } = window.mlDesign;
  const page = pageOf(location.href);
  const questions = [...document.querySelectorAll("article h2")].map((heading) => {
    const options = [];
    for (let next = heading.nextElementSibling; next && next.tagName !== "H2"; next = next.nextElementSibling) {
      if (next.matches("details.right, details.wrong")) options.push(next);
    }
    return { id: heading.id, heading, options };
  });
  const score = make("p", { role: "status" });
  const read = make("ul");
  const again = make("button", { type: "button", class: "md-button", onclick: restart }, "Start again");
  const panel = make("section", { class: "trainer", "aria-label": "Your score" }, score, read, again);
  questions[0].heading.before(panel);

  let quiet = false; // while it is this script that folds

  for (const { id, options } of questions) {
    for (const option of options) {
      option.addEventListener("toggle", () => {
        if (!option.open || quiet) return;
        const all = load("quiz");
        if (all[page]?.[id] === undefined) {
          save("quiz", { ...all, [page]: { ...all[page], [id]: option.classList.contains("right") } });
        }
        show();
      });
    }
  }

  function show() {
    const answers = load("quiz")[page] ?? {};
    const answered = questions.filter(({ id }) => id in answers);
    const right = answered.filter(({ id }) => answers[id]);
    score.textContent = answered.length
      ? `${right.length} of ${answered.length} right at first, ${questions.length - answered.length} to go.`
      : `${questions.length} questions. Open the option that you would choose: the first one counts.`;
    for (const { id, heading } of questions) {
      heading.classList.toggle("is-right", answers[id] === true);
      heading.classList.toggle("is-wrong", answers[id] === false);
    }
    const links = new Map();
    for (const { options } of answered.filter(({ id }) => !answers[id])) {
      for (const link of options.flatMap((option) => [...option.querySelectorAll("p a[href]")])) {
        links.set(link.href, link.textContent);
      }
    }
    read.replaceChildren(...[...links].map(([href, text]) => make("li", {}, "Read ", make("a", { href }, text))));
    again.hidden = !answered.length;
  }

  function restart() {
    const { [page]: _, ...others } = load("quiz");
    save("quiz", others);
    quiet = true;
    for (const option of questions.flatMap(({ options }) => options)) option.open = false;
    setTimeout(() => (quiet = false));
    show();
    questions[0].options[0].querySelector("summary").focus();
  }

  show();
}
