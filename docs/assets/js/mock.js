// The mock interview: a prompt, a clock of 45 minutes with its phases, the interviewer's questions in turn, your notes,
// then the rubric and a summary to keep. Without this, the page lists prompts, questions with answers, and the rubric.
"use strict";
{
  const { load, save, day, make, phaseBar } = window.mlDesign;
  const list = document.querySelector(".all-prompts");
  const cases = [...list.querySelectorAll(".mock-case")].map(readCase);
  const rubric = [...list.querySelectorAll(".mock-rubric tbody tr")].map((row) =>
    [...row.children].map((cell) => cell.textContent.trim()),
  );
  const LEVELS = ["no signal", "pass", "strong", "exceptional"];
  const panel = make("section", { class: "trainer mock", "aria-label": "Mock interview" });
  const history = make("section", { class: "history", "aria-label": "Your interviews" });
  list.before(panel, history);
  // Folded, so that no question is read before it is asked.
  const all = make("details", {}, make("summary", {}, "All prompts with their questions and answers, and the rubric"));
  list.before(all);
  all.append(list);

  /** A case: its phases with when they end, in ms, and its questions with when they are asked. */
  function readCase(section) {
    const phases = [];
    const questions = [];
    let length = 0;
    for (const heading of section.querySelectorAll("h4")) {
      const own = Number(heading.dataset.minutes) * 60_000;
      const asked = [];
      for (let next = heading.nextElementSibling; next?.matches("details"); next = next.nextElementSibling) asked.push(next);
      asked.forEach((box, i) =>
        questions.push({ phase: phases.length, at: length + (i * own) / asked.length, box, text: box.querySelector("summary").textContent }),
      );
      phases.push({ name: heading.firstChild.textContent.trim(), end: length + own });
      length += own;
    }
    const title = section.querySelector("h3").textContent;
    return { title, prompt: section.querySelector(".prompt").textContent.trim(), phases, questions, length, section };
  }

  const clock = (ms) => {
    const seconds = Math.max(0, Math.ceil(ms / 1000));
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };
  const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  let ticking = null;

  function choose() {
    clearInterval(ticking);
    const select = make("select", { id: "mock-prompt" }, make("option", { value: "" }, "At random"));
    for (const { title } of cases) select.append(make("option", { value: title }, title));
    const start = () => {
      const title = select.value || cases[Math.floor(Math.random() * cases.length)].title;
      save("now", { title, elapsed: 0, since: Date.now(), asked: 1, notes: {} });
      run();
    };
    panel.replaceChildren(
      make("p", {}, make("label", { for: "mock-prompt" }, "Prompt "), select),
      make("p", {}, make("button", { type: "button", class: "md-button md-button--primary", onclick: start }, "Start 45 minutes")),
    );
  }

  function run() {
    let now = load("now");
    const it = cases.find(({ title }) => title === now?.title);
    if (!it) {
      choose(); // nothing going on, or of a case that is no more
      return;
    }
    if (now.scores) {
      judge(it, now); // it was left while scoring
      return;
    }
    const left = make("p", { class: "clock", role: "timer" });
    const phase = make("p", { class: "phase" });
    const { bar, fill } = phaseBar("done");
    // A case parts evaluation and deployment, the bar does not.
    const ends = [0, ...it.phases.slice(0, 4).map(({ end }) => end), it.length];
    const asked = make("ol", { "aria-live": "polite", "aria-label": "The interviewer asks", tabindex: -1 });
    const pause = make("button", { type: "button", class: "md-button", onclick: toggle });
    const further = make("button", { type: "button", class: "md-button", onclick: ask }, "Next question");
    const finish = make("button", { type: "button", class: "md-button md-button--primary", onclick: end }, "Finish, and score");
    const which = make("select", { id: "mock-phase", onchange: () => showNotes() });
    it.phases.forEach(({ name }, i) => which.append(make("option", { value: i }, name)));
    const notes = make("textarea", { id: "mock-notes", rows: 6, oninput: note });
    panel.replaceChildren(
      make("h2", { id: "mock-title", tabindex: -1 }, it.title),
      make("p", { class: "prompt" }, it.prompt),
      make("div", { class: "dial" }, left, phase, bar),
      make(
        "div",
        { class: "desk" },
        make("div", {}, asked, make("p", { class: "controls" }, further, " ", pause, " ", finish)),
        make(
          "div",
          {},
          make("p", {}, make("label", { for: "mock-phase" }, "Notes for "), which),
          make("label", { for: "mock-notes", class: "md-visually-hidden" }, "Notes"),
          notes,
        ),
      ),
    );
    panel.querySelector("h2").focus();

    const elapsed = () => Math.min(it.length, now.elapsed + (now.since === null ? 0 : Date.now() - now.since));
    let shown = 0;

    function keep(change) {
      now = { ...now, ...change };
      save("now", now);
    }

    function tick() {
      const time = elapsed();
      if (time >= it.length && now.since !== null) keep({ elapsed: it.length, since: null });
      const current = it.phases.find(({ end }) => time < end);
      const due = it.questions.filter(({ at }) => at <= time).length;
      if (due > now.asked) keep({ asked: due });
      left.textContent = `${clock(it.length - time)} left`;
      phase.textContent = current
        ? `By the plan: ${current.name}, ${clock(current.end - time)} more`
        : "Time is up. Finish, and score yourself.";
      fill(ends.slice(1).map((end, i) => Math.min(1, Math.max(0, (time - ends[i]) / (end - ends[i])))));
      pause.textContent = now.since === null ? "Go on" : "Pause";
      pause.hidden = time >= it.length;
      further.hidden = now.asked >= it.questions.length;
      if (shown !== now.asked) showQuestions();
    }

    /** The questions of the phase that the last one belongs to. */
    function showQuestions() {
      const before = it.questions[shown - 1]?.phase;
      shown = now.asked;
      const { phase: own } = it.questions[shown - 1];
      const texts = it.questions.slice(0, shown).filter((question) => question.phase === own);
      if (own !== before) asked.replaceChildren();
      for (const { text } of texts.slice(asked.children.length)) asked.append(make("li", {}, text));
      if (own !== before) {
        which.value = own;
        showNotes();
      }
    }

    function showNotes() {
      notes.value = now.notes[it.phases[which.value].name] ?? "";
    }
    function note() {
      keep({ notes: { ...now.notes, [it.phases[which.value].name]: notes.value } });
    }
    function ask() {
      keep({ asked: Math.min(now.asked + 1, it.questions.length) });
      tick();
      if (further.hidden) asked.focus(); // the button that had the focus is gone
    }
    function toggle() {
      keep(now.since === null ? { since: Date.now() } : { elapsed: elapsed(), since: null });
      tick();
    }
    function end() {
      keep({ elapsed: elapsed(), since: null, scores: [] });
      clearInterval(ticking);
      judge(it, now);
    }

    clearInterval(ticking);
    ticking = setInterval(tick, 500);
    tick();
  }

  function judge(it, now) {
    const rows = rubric.map(([area, ...levels], i) => {
      const before = now.scores[i];
      const evidence = make("input", { type: "text", id: `evidence-${i}`, value: before?.evidence ?? "" });
      const choices = LEVELS.map((level, value) =>
        make(
          "label",
          {},
          make("input", { type: "radio", name: `area-${i}`, value, checked: before?.level === value }),
          make("strong", {}, ` ${level[0].toUpperCase()}${level.slice(1)}`),
          value ? `. ${levels[value - 1]}` : ". I said nothing about it.",
        ),
      );
      const label = make("label", { for: `evidence-${i}`, class: "evidence" }, "Your evidence, in one sentence", evidence);
      return { area, evidence, box: make("fieldset", {}, make("legend", {}, area), ...choices, label) };
    });
    const answers = make("details", { class: "question" }, make("summary", {}, "What the guide answers"));
    for (const { box } of it.questions) answers.append(box.cloneNode(true));
    answers.append(it.section.querySelector(".from").cloneNode(true));
    const scores = () =>
      rows.map(({ area, box, evidence }) => {
        const chosen = box.querySelector("input:checked");
        return { area, level: chosen ? Number(chosen.value) : null, evidence: evidence.value.trim() };
      });
    const back = () => {
      save("now", { ...now, scores: undefined });
      run();
    };
    const form = make("form", {
      oninput: () => save("now", { ...now, scores: scores() }),
      onsubmit: (event) => {
        event.preventDefault();
        keepRun(it, now, scores().map((row) => ({ ...row, level: row.level ?? 0 }))); // not scored: no signal
      },
    });
    form.append(
      make("h2", { tabindex: -1 }, `${it.title}: score yourself`),
      make("p", {}, "No sentence of evidence, no signal. A row left out counts as none."),
      ...rows.map(({ box }) => box),
      answers,
      make("p", { class: "controls" }, make("button", { class: "md-button md-button--primary" }, "Keep this interview"), " ", make("button", { type: "button", class: "md-button", onclick: back }, "Back to the clock")),
    );
    panel.replaceChildren(form);
    form.querySelector("h2").focus();
  }

  function keepRun(it, now, scores) {
    const points = scores.reduce((sum, { level }) => sum + level, 0);
    const weakest = Math.min(...scores.map(({ level }) => level));
    const lines = [
      `ML Design, mock interview: ${it.title}`,
      `${day()}, ${clock(now.elapsed)} of ${clock(it.length)}, ${now.asked} of ${it.questions.length} questions asked`,
      "",
      it.prompt,
      "",
      `Score: ${points} of ${3 * scores.length}`,
      ...scores.map(({ area, level, evidence }) => `- ${area}: ${LEVELS[level]}${evidence && `. ${evidence}`}`),
      `Weakest: ${scores.filter(({ level }) => level === weakest).map(({ area }) => area).join(", ")}`,
      "",
      "Notes",
      ...it.phases.flatMap(({ name }) => ["", name, now.notes[name]?.trim() || "(none)"]),
      "",
      "Questions",
      ...it.questions.slice(0, now.asked).map(({ text }) => `- ${text}`),
      "",
    ];
    const run = { date: day(), title: it.title, score: `${points} of ${3 * scores.length}`, summary: lines.join("\n") };
    const kept = save("mock", [...load("mock"), run]);
    save("now", null);
    choose();
    showHistory(kept ? "Kept in this browser only." : "Your browser does not keep it: download it before you leave.");
    history.querySelector("button").focus();
  }

  function showHistory(where = "Kept in this browser only.") {
    const runs = load("mock");
    history.replaceChildren();
    if (!runs.length) return;
    const rows = runs.map((run, i) =>
      make(
        "li",
        {},
        `${run.date}, ${run.title}, ${run.score}. `,
        make("button", { type: "button", onclick: () => download(run) }, "Download the summary"),
        " ",
        make("button", { type: "button", "aria-label": `Delete the interview of ${run.date}, ${run.title}`, onclick: () => remove(i) }, "Delete"),
      ),
    );
    history.append(make("h2", { tabindex: -1 }, "Your interviews"), make("p", {}, where), make("ul", {}, ...rows.reverse()));
  }

  function download(run) {
    const href = URL.createObjectURL(new Blob([run.summary], { type: "text/plain" }));
    const link = make("a", { href, download: `ml-design-${run.date}-${slug(run.title)}.txt` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(href), 1_000);
  }

  function remove(index) {
    if (!window.confirm("Delete this interview? Its summary is lost unless you downloaded it.")) return;
    save("mock", load("mock").filter((_, i) => i !== index));
    showHistory();
    (history.querySelector("h2") ?? panel.querySelector("select")).focus();
  }

  showHistory();
  run();
}
