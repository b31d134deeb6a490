// The mock interview: a prompt, a clock of 45 minutes with its phases, the interviewer's questions in turn, your notes,
// then the rubric and a summary to keep. Without this, the page lists prompts, questions with answers, and the rubric.
"use strict";
{
  const { load, save, day, make, button, phaseBar, keyOf, clamp, clock, leastDone, inOneTab } = window.mlDesign;
  const LEVELS = ["no signal", "pass", "strong", "exceptional"];
  const RANKS = ["Mid-level", "Senior", "Staff"]; // for which one interviews: some questions are for the later ones alone
  const me = String(Math.random()); // this tab: an interview goes on in one
  const list = document.querySelector(".all-prompts");
  const cases = [...list.querySelectorAll(".mock-case")].map(readCase);
  const ranks = [...list.querySelectorAll(".mock-levels tbody tr")]; // what a row means at each level
  const rubric = [...list.querySelectorAll(".mock-rubric tbody tr")].map((row, i) => {
    const cells = [...row.children];
    const words = (from) => [...from].slice(1, 4).map((cell) => cell.textContent.trim());
    return { area: cells[0].textContent.trim(), levels: words(cells), ranks: words(ranks[i].children), read: [...cells.at(-1).querySelectorAll("a")] };
  });
  const panel = make("section", { class: "trainer mock", "aria-label": "Mock interview" });
  const history = make("section", { class: "history", "aria-label": "Your interviews" });
  list.before(panel, history);
  // Folded, so that no question is read before it is asked.
  const all = make("details", { class: "question" }, make("summary", {}, "All prompts with their questions and answers, and the rubric"));
  list.before(all);
  all.append(list);
  let ticking = null;

  /** A case: its phases with when they begin and end, in ms, and with what is asked in them. */
  function readCase(section) {
    const phases = [];
    let length = 0;
    for (const heading of section.querySelectorAll("h4")) {
      const boxes = [];
      for (let next = heading.nextElementSibling; next?.matches("details"); next = next.nextElementSibling) boxes.push(next);
      const minutes = Number(heading.dataset.minutes);
      const end = length + minutes * 60_000;
      phases.push({ name: heading.firstChild.textContent.trim(), minutes, begin: length, end, boxes });
      length = end;
    }
    const title = section.querySelector("h3").textContent;
    return { title, prompt: section.querySelector(".prompt").textContent.trim(), phases, length, section };
  }

  /** A case as it is asked at a level: its questions with when they come, evenly over their phase. */
  function atLevel(it, rank) {
    const from = ({ classList }) => (classList.contains("staff") ? 2 : classList.contains("senior") ? 1 : 0);
    const questions = it.phases.flatMap(({ begin, end, boxes }, phase) => {
      const mine = boxes.filter((box) => from(box) <= RANKS.indexOf(rank));
      const at = (i) => begin + (i * (end - begin)) / mine.length;
      return mine.map((box, i) => ({ phase, at: at(i), box, text: box.querySelector("summary").textContent }));
    });
    return { ...it, rank, questions };
  }

  const slug = (text) => text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  /** No sentence of evidence, no signal. */
  const counted = ({ level, evidence }) => (evidence.trim() ? (level ?? 0) : 0);

  /** The interview that goes on, or null; its numbers held to what the case has today. */
  function current() {
    const now = load("now");
    const found = cases.find(({ title }) => title === now?.title);
    if (!found) return null; // nothing goes on, or of a case that is no more
    const it = atLevel(found, RANKS.includes(now.rank) ? now.rank : RANKS[1]);
    return { it, now: { ...now, asked: clamp(1, Math.trunc(now.asked), it.questions.length), elapsed: clamp(0, now.elapsed, it.length) } };
  }

  function show() {
    clearInterval(ticking);
    const found = current();
    document.body.classList.toggle("mock-runs", Boolean(found)); // nothing else is on the screen
    if (!found) choose();
    else if (found.now.judging ?? Boolean(found.now.scores)) judge(found.it, found.now);
    else run(found.it, found.now);
  }

  function choose() {
    const done = load("mock").map(({ title }) => title);
    const times = (title) => done.filter((other) => other === title).length;
    const select = make("select", { id: "mock-prompt" }, make("option", { value: "" }, "At random, one you have not done"));
    for (const { title } of cases) select.append(make("option", { value: title }, times(title) ? `${title} (done)` : title));
    const rank = make("select", { id: "mock-rank" }, ...RANKS.map((name) => make("option", { value: name }, name)));
    rank.value = load("mock").at(-1)?.rank ?? RANKS[1];
    const start = () => {
      const title = select.value || leastDone(cases, (it) => times(it.title)).title;
      save("now", { title, elapsed: 0, since: Date.now(), asked: 1, notes: {}, rank: rank.value, tab: me });
      show();
      panel.querySelector("h2").focus();
    };
    panel.replaceChildren(
      make("p", {}, make("label", { for: "mock-prompt" }, "Prompt "), select),
      make("p", {}, make("label", { for: "mock-rank" }, "Level "), rank),
      make("p", {}, button("Start 45 minutes", start, true)),
    );
  }

  function abandon() {
    if (!window.confirm("Give up this interview? Its notes and scores are lost.")) return;
    save("now", null);
    show();
    panel.querySelector("select").focus();
  }

  function run(it, now) {
    now = { ...now, tab: me };
    save("now", now);
    const left = make("p", { class: "clock", role: "timer" });
    const phase = make("p", { class: "phase" });
    const { bar, fill } = phaseBar("done");
    // A case parts evaluation and deployment, the bar does not.
    const ends = [0, ...it.phases.slice(0, 4).map(({ end }) => end), it.length];
    const earlier = make("ol");
    const past = make("details", { class: "question", hidden: true }, make("summary", {}, "Asked earlier"), earlier);
    const asked = make("ol", { "aria-live": "polite", "aria-label": "The interviewer asks", tabindex: -1 });
    const pause = button("", toggle);
    const further = button("Next question", ask, true);
    const which = make("select", { id: "mock-phase", onchange: () => showNotes() });
    it.phases.forEach(({ name }, i) => which.append(make("option", { value: i }, name)));
    const notes = make("textarea", { id: "mock-notes", rows: 6, oninput: note, onfocus: () => (written = phaseNow()), onblur: () => phaseNow() !== written && turn() });
    const phaseNow = () => it.questions[shown - 1].phase;
    let written = 0; // the phase in which one began to write
    const said = make("p", { role: "status" });
    panel.replaceChildren(
      make("h2", { id: "mock-title", tabindex: -1 }, it.title),
      make("div", { class: "prompt" }, make("p", {}, it.prompt)),
      make("div", { class: "dial" }, left, phase, bar),
      make(
        "div",
        { class: "desk" },
        make("div", {}, past, asked, make("p", { class: "controls" }, further, " ", pause, " ", button("Finish, and score", end))),
        make(
          "div",
          {},
          make("p", {}, make("label", { for: "mock-phase" }, "Notes for "), which),
          make("label", { for: "mock-notes", class: "md-visually-hidden" }, "Notes"),
          notes,
        ),
      ),
      make("p", { class: "controls" }, button("Copy as prompt", () => copy(it, now, said)), " ", button("Give up", abandon)),
      said,
    );
    let shown = 0;

    function keep(change) {
      now = { ...now, ...change };
      save("now", now);
    }

    function tick() {
      if (now.since !== null) {
        // Step by step, so that a clock set back costs one step and adds none.
        const elapsed = clamp(0, now.elapsed + Math.max(0, Date.now() - now.since), it.length);
        keep({ elapsed, since: elapsed < it.length ? Date.now() : null });
      }
      const time = now.elapsed;
      const due = it.questions.filter(({ at }) => at <= time).length;
      if (due > now.asked) keep({ asked: due });
      const on = it.phases.find(({ end }) => time < end);
      left.textContent = `${clock(it.length - time)} left`;
      phase.textContent = on ? `By the plan: ${on.name}, ${clock(on.end - time)} more` : "Time is up. Finish, and score yourself.";
      fill(ends.slice(1).map((end, i) => clamp(0, (time - ends[i]) / (end - ends[i]), 1)));
      pause.textContent = now.since === null ? "Go on" : "Pause";
      pause.hidden = time >= it.length;
      further.hidden = now.asked >= it.questions.length;
      if (shown !== now.asked) showQuestions();
    }

    /** The questions of the phase that the last one belongs to; those of earlier phases are folded above. */
    function showQuestions() {
      const before = it.questions[shown - 1]?.phase;
      shown = now.asked;
      const { phase: own } = it.questions[shown - 1];
      const all = it.questions.slice(0, shown);
      const item = ({ text }) => make("li", {}, text);
      const mine = all.filter((question) => question.phase === own);
      if (own !== before) {
        asked.replaceChildren();
        earlier.replaceChildren(...all.filter((question) => question.phase !== own).map(item));
        past.hidden = !earlier.children.length;
        if (document.activeElement !== notes) turn();
      }
      asked.append(...mine.slice(asked.children.length).map(item)); // only what is new is read out
    }

    /** Notes are for the phase of the last question; while one is written, they stay where they are. */
    function turn() {
      which.value = phaseNow();
      showNotes();
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
      tick();
      if (now.elapsed < it.length) keep({ since: now.since === null ? Date.now() : null });
      tick();
    }
    function end() {
      tick();
      keep({ since: null, judging: true, scores: now.scores ?? [] });
      show();
      panel.querySelector("h2").focus();
    }

    ticking = setInterval(tick, 500);
    tick();
  }

  /** An answer in which the line of a level stands out. */
  function marked(answer, rank) {
    for (const line of answer.querySelectorAll("li")) {
      if (line.querySelector("strong")?.textContent === `${rank}:`) line.classList.add("is-mine");
    }
    return answer;
  }

  function judge(it, now) {
    now = { ...now, tab: me, scores: now.scores ?? [] };
    const said = make("p", { role: "status" });
    const rows = rubric.map(({ area, levels, ranks: expected }, i) => {
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
      const label = make("label", { for: `evidence-${i}`, class: "evidence" }, "Your evidence: what you said, in one sentence", evidence);
      const expects = make("p", {}, `${it.rank}: ${expected[RANKS.indexOf(it.rank)]}`);
      // A row is a phase, but for evaluation, which has two, and talk, which has none.
      const mine = it.phases.filter((_, phase) => Math.min(phase, 4) === i).map(({ name }) => now.notes[name]?.trim()).filter(Boolean);
      const noted = mine.length ? [make("p", { class: "noted" }, `Your notes: ${mine.join(" ")}`)] : [];
      return { area, evidence, box: make("fieldset", {}, make("legend", {}, area), expects, ...noted, ...choices, label) };
    });
    const answers = make("details", { class: "question" }, make("summary", {}, "What the guide answers"));
    answers.append(make("p", {}, `Compare what you said with the line of your level, ${it.rank.toLowerCase()}, and read the next one.`));
    for (const { box } of it.questions) answers.append(marked(box.cloneNode(true), it.rank));
    answers.append(it.section.querySelector(".from").cloneNode(true));
    const scores = () =>
      rows.map(({ area, box, evidence }) => {
        const chosen = box.querySelector("input:checked");
        return { area, level: chosen ? Number(chosen.value) : null, evidence: evidence.value.trim() };
      });
    const sum = make("p", { class: "state", role: "status" });
    function count() {
      const given = scores();
      const bare = given.filter((row) => row.level > 0 && !row.evidence).map(({ area }) => area);
      sum.textContent = `${given.reduce((total, row) => total + counted(row), 0)} of ${3 * given.length} points.`;
      if (bare.length) sum.append(` No sentence yet, so no signal: ${bare.join(", ")}.`);
    }
    const back = () => {
      save("now", { ...now, judging: false });
      show();
      panel.querySelector("h2").focus();
    };
    const form = make("form", {
      oninput: () => {
        now = { ...now, scores: scores() };
        save("now", now);
        count();
      },
      onsubmit: (event) => {
        event.preventDefault();
        keepRun(it, now, scores().map((row) => ({ ...row, level: counted(row) })));
      },
    });
    form.append(
      make("h2", { tabindex: -1 }, `${it.title}: score yourself`),
      make("p", {}, "No sentence of evidence, no signal. A row left out counts as none."),
      ...rows.map(({ box }) => box),
      answers,
      sum,
      make(
        "p",
        { class: "controls" },
        make("button", { class: "md-button md-button--primary" }, "Keep this interview"),
        " ",
        button("Back to the clock", back),
        " ",
        button("Copy as prompt", () => copy(it, now, said)),
        " ",
        button("Give up", abandon),
      ),
      said,
    );
    panel.replaceChildren(form);
    count();
  }

  /** What an assistant needs to interview and to score, not to solve. */
  function asPrompt(it, now) {
    const on = it.phases.find(({ end }) => now.elapsed < end);
    return [
      `You are the interviewer in a machine-learning design interview, and I am the candidate, for a ${it.rank.toLowerCase()} position.`,
      "Ask one question at a time and wait for my answer. Do not solve the problem, do not hint before I have tried, and do not praise.",
      "Ask for the condition, the number or the reason where I leave one out. Keep to the minutes of the plan, and change the subject when one is over.",
      "When I write DONE, score each row of the rubric: no signal, pass, strong or exceptional. For each, quote one sentence of mine as evidence; no sentence, no signal. Say whether that is enough for the position. Then name my weakest row and what to practise. Only then say what a strong answer would have been.",
      "",
      `The prompt: ${it.prompt}`,
      "",
      `The plan: ${it.phases.map(({ name, minutes }) => `${name} ${minutes} min`).join(", ")}.`,
      `Now: ${on ? `${on.name}, ${clock(now.elapsed)} of ${clock(it.length)} gone` : "time is up"}.`,
      "",
      "Asked so far:",
      ...it.questions.slice(0, now.asked).map(({ text }) => `- ${text}`),
      "",
      "My notes:",
      ...it.phases.map(({ name }) => `- ${name}: ${now.notes[name]?.trim() || "(none)"}`),
      "",
      "The rubric:",
      ...rubric.map(
        ({ area, levels, ranks: expected }) =>
          `- ${area}. Pass: ${levels[0]} Strong: ${levels[1]} Exceptional: ${levels[2]} Expected at this level: ${expected[RANKS.indexOf(it.rank)]}`,
      ),
      "",
    ].join("\n");
  }

  async function copy(it, now, said) {
    const text = asPrompt(it, now);
    try {
      await navigator.clipboard.writeText(text);
      said.textContent = "Copied. Paste it into any assistant.";
    } catch (error) {
      const field = make("textarea", { readonly: true, rows: 8, "aria-label": "The prompt to copy" }); // files may not write there
      field.value = text;
      said.replaceChildren("Copy this yourself: ", field);
      field.select();
    }
  }

  function keepRun(it, now, scores) {
    const points = scores.reduce((sum, { level }) => sum + level, 0);
    const weakest = Math.min(...scores.map(({ level }) => level));
    const lines = [
      `ML Design, mock interview: ${it.title}`,
      `${day()}, for ${it.rank.toLowerCase()}, ${clock(now.elapsed)} of ${clock(it.length)}, ${now.asked} of ${it.questions.length} questions asked`,
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
    const levels = Object.fromEntries(scores.map(({ area, level }) => [area, level]));
    const done = { date: day(), title: it.title, rank: it.rank, score: `${points} of ${3 * scores.length}`, levels, summary: lines.join("\n") };
    const kept = save("mock", [...load("mock"), done]);
    save("now", null);
    show();
    showHistory(kept ? "Kept in this browser only." : "Your browser does not keep it: download it before you leave.");
    history.querySelector("h2").focus();
  }

  function showHistory(where = "Kept in this browser only.") {
    const runs = load("mock");
    history.replaceChildren();
    if (!runs.length) return;
    const rows = runs.map((done, i) =>
      make(
        "details",
        { class: "question" },
        make("summary", {}, `${done.date}, ${done.title}, ${done.score}`),
        make("pre", {}, done.summary),
        make(
          "p",
          { class: "controls" },
          make("button", { type: "button", onclick: () => download(done) }, "Download the summary"),
          " ",
          make("button", { type: "button", "aria-label": `Delete the interview of ${done.date}, ${done.title}`, onclick: () => remove(i) }, "Delete"),
        ),
      ),
    );
    history.append(make("h2", { tabindex: -1 }, "Your interviews"), make("p", {}, where), ...trend(runs), ...rows.reverse());
  }

  /** A row of the rubric a line, the last interviews side by side, and what to read for the weakest. */
  function trend(runs) {
    const scored = runs.filter(({ levels }) => levels).slice(-6);
    if (!scored.length) return [];
    const mean = ({ area }) => scored.slice(-3).reduce((sum, { levels }) => sum + (levels[area] ?? 0), 0);
    const weakest = rubric.reduce((a, b) => (mean(b) < mean(a) ? b : a));
    const head = make("tr", {}, make("th", { scope: "col" }, "Area"), ...scored.map(({ date }) => make("th", { scope: "col" }, date.slice(5))));
    const lines = rubric.map(({ area }) =>
      make("tr", {}, make("th", { scope: "row" }, area), ...scored.map(({ levels }) => make("td", {}, LEVELS[levels[area]] ?? "not scored"))),
    );
    const read = weakest.read.flatMap((link, i) => [i ? ", " : " ", link.cloneNode(true)]);
    return [
      make("div", { class: "md-typeset__scrollwrap" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines))),
      make("p", {}, `Weakest of late: ${weakest.area}. Read and practise:`, ...read),
    ];
  }

  function download(done) {
    const href = URL.createObjectURL(new Blob([done.summary], { type: "text/plain" }));
    const link = make("a", { href, download: `ml-design-${done.date}-${slug(done.title)}.txt` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(href), 1_000);
  }

  function remove(index) {
    if (!window.confirm("Delete this interview? Its summary is lost unless you downloaded it.")) return;
    save("mock", load("mock").filter((_, i) => i !== index));
    showHistory();
    (history.querySelector("h2") ?? panel.querySelector("select")).focus();
  }

  window.addEventListener("storage", ({ key }) => key === keyOf("mock") && showHistory());
  inOneTab("now", { name: "interview", current, me, stop: () => clearInterval(ticking), show, panel });

  showHistory();
  show();
}
