// What is due today in one list: what is going on, the plan's items, cards and questions. Where nothing is, what comes
// next. The table below it says where to find all of that.
"use strict";
{
  const { load, day, between, count, make, quizOf, pageOf, addressOf, keyOf, MOCK, SHEET, CARDS, STUDY, sum, long, agenda } = window.mlDesign;
  const place = document.querySelector(".today");
  const cells = (name) => [...document.querySelectorAll(`.overview [data-${name}]`)];
  const pages = new Map(cells("pages").flatMap((cell) => [...cell.querySelectorAll("a")].map((link) => [pageOf(link.href), link.textContent])));
  const titles = new Map([...Object.entries(JSON.parse(place.dataset.titles)), ...pages]);
  const cards = [place, ...cells("cards")].flatMap(({ dataset }) => dataset.cards.split(" "));
  const quizzes = cells("quiz").map(({ dataset }) => ({ page: dataset.quiz, questions: dataset.questions.split(" ") }));
  const { title, address, finished, daysOf, late } = agenda((page) => titles.get(page));
  const state = make("p", { class: "state", role: "status" });
  const list = make("ul");
  place.append(make("section", { class: "trainer", "aria-label": "Today" }, make("h2", {}, "Today"), state, list));
  let shown = "";

  // A line is what is linked, where it leads, what is said behind it, and whether it is done.

  /** The interview and the incident that are going on. */
  function goingOn() {
    const [now, drilling] = ["now", "drilling"].map(load);
    const how = (it) => (it.judging ?? Boolean(it.scores) ? "to be scored" : it.since === null ? "paused" : "going on");
    const interview = now && [...titles].some(([page, name]) => page.startsWith("practice/") && name === now.title);
    return [
      ...(interview ? [[`Mock interview: ${now.title}`, addressOf(MOCK), how(now), false]] : []),
      ...(drilling ? [["Incident drill", addressOf("practice/incident-drill/"), how(drilling), false]] : []),
    ];
  }

  /** The items of a plan for today, but for cards. */
  function planned(items) {
    const own = items.filter(([kind, page]) => kind !== "cards" && !(["mock", "again"].includes(kind) && titles.get(page) === load("now")?.title));
    return own.map((item) => {
      const done = finished(item, day());
      return [title(item), address(item), done ? "done" : long(item[2]), done];
    });
  }

  /** Cards to see again, or new ones where a plan has time for them. */
  function toRepeat(items) {
    const known = load("cards");
    const due = cards.filter((id) => known[id]?.[1] <= day()).length;
    const item = items.find(([kind]) => kind === "cards");
    if (due) return [["Flashcards", addressOf(CARDS), `${due} due`, false]];
    if (!item) return [];
    const done = finished(item, day()) || cards.every((id) => id in known);
    return [["Flashcards", addressOf(CARDS), done ? "done" : `new ones, ${long(item[2])}`, done]];
  }

  /** Questions to answer again, by the quiz that has most of them. */
  function toAnswer() {
    const due = ({ page, questions }) => Object.entries(quizOf(page)).filter(([id, answer]) => questions.includes(id) && answer[2] <= day()).length;
    const waiting = quizzes.map((quiz) => [due(quiz), quiz.page]);
    const all = waiting.reduce((total, [own]) => total + own, 0);
    const [most, page] = waiting.reduce((one, other) => (other[0] > one[0] ? other : one));
    return all ? [[titles.get(page), addressOf(page), `${count(all, "question")} due${most < all ? `, ${most} of them here` : ""}`, false]] : [];
  }

  /** What comes next, for who has nothing to do today: [words, address]. */
  function next(days) {
    const coming = days.filter(([date]) => date > day()).flatMap(([, items]) => items);
    const item = coming.find((each) => !["cards", "sheet"].includes(each[0]) && !finished(each));
    if (item) return [title(item), address(item)];
    const unread = [...pages].find(([page]) => !(page in load("read")));
    return unread ? [unread[1], addressOf(unread[0])] : ["a mock interview", addressOf(MOCK)];
  }

  function show() {
    const kept = load("plan");
    const plan = kept && kept.day >= day() ? kept : null; // of an interview to come
    const days = plan ? daysOf(plan) : [];
    const items = days.find(([date]) => date === day())?.[1] ?? [];
    const behind = late(days, day());
    const lines = [
      ...goingOn(),
      ...(plan?.day === day() ? [["The cheat sheet", addressOf(SHEET), "and nothing new", false]] : []),
      ...(behind.length && plan.day > day() ? [["Your study plan", addressOf(STUDY), `behind by ${long(sum(behind))}`, false]] : []),
      ...planned(items),
      ...toRepeat(items),
      ...toAnswer(),
    ];
    const open = lines.filter(([, , , done]) => !done).length;
    const when = plan ? (plan.day === day() ? "Your interview is today. " : `Your interview is in ${count(between(day(), plan.day).length, "day")}. `) : "";
    const words = `${when}${open ? `${count(open, "thing is", "things are")} due.` : lines.length ? "All of today is done." : "Nothing is due."}`;
    const following = open ? null : next(days);
    const now = JSON.stringify([words, lines, following, Boolean(plan)]);
    if (now === shown) return; // an interview in another tab writes twice a second
    shown = now;
    state.replaceChildren(words);
    if (following) state.append(" Go on with ", make("a", { href: following[1] }, following[0]), ".");
    if (following && !plan) state.append(" Or say ", make("a", { href: addressOf(STUDY) }, "when your interview is"), ", and a plan fills your days.");
    list.replaceChildren(
      ...lines.map(([name, href, said, done]) => make("li", { class: done ? "is-done" : false }, make("a", { href }, name), make("span", { class: "reading" }, said))),
    );
  }

  window.addEventListener("storage", show);
  document.addEventListener("visibilitychange", () => document.hidden || show()); // another day may have begun
  show();
}
