// What the plan by date and the list of today share: what the items of a plan are called, where they lead, which are done.
"use strict";
{
  const { load, dayOf, entries, quizOf, addressOf } = window.mlDesign;
  const [MOCK, SHEET, CARDS, STUDY] = ["practice/mock-interview/", "practice/cheat-sheet/", "practice/flashcards/", "study/"];
  const QUESTIONS = 20; // of a quiz, or more

  /** So many days after a day, at noon: there no change of clocks turns one day into another. */
  function noon(date, days = 0) {
    const [year, month, own] = date.split("-").map(Number);
    return new Date(year, month - 1, own + days, 12);
  }

  /** The days from one to another, that one left out, as 2026-11-25, but for some days of the week (Monday is 0). */
  function between(from, to, off = []) {
    const days = Math.max(0, Math.round((noon(to) - noon(from)) / 86_400_000) || 0);
    const all = Array.from({ length: days }, (_, i) => noon(from, i));
    return all.filter((at) => !off.includes((at.getDay() + 6) % 7)).map(dayOf);
  }

  const sum = (items) => items.reduce((total, [, , minutes]) => total + minutes, 0);
  const long = (minutes) => (minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`);

  /** What can be said of the items of a plan, [kind, page, minutes], by the titles of the pages. */
  function agenda(titleOf) {
    const named = (words) => ([, page]) => titleOf(page) && `${words}: ${titleOf(page)}`;
    const own = {
      mock: named("Mock interview"),
      again: named("The same mock interview again"),
      sheet: () => "The cheat sheet",
      cards: () => "Flashcards and questions that are due",
    };

    /** What an item is called; one of a page that is no more has no title. */
    const title = (item) => (own[item[0]] ?? (([, page]) => titleOf(page)))(item);
    const address = ([kind, page]) => addressOf(["mock", "again"].includes(kind) ? MOCK : page);

    /** Whether it was done, as far as this browser knows. */
    function finished([kind, page], date) {
      if (kind === "cards") return ["cards", "quiz"].flatMap((id) => Object.values(entries(id))).some(([at]) => dayOf(new Date(at)) === date);
      const runs = load("mock").filter(({ title: prompt }) => prompt === titleOf(page)).length;
      if (kind === "mock" || kind === "again") return runs > (kind === "again" ? 1 : 0);
      return page in load("read") || (kind === "quiz" && Object.keys(quizOf(page)).length >= QUESTIONS);
    }

    /** The days of a plan without what is no more. */
    const daysOf = (plan) => plan.days.map(([date, items]) => [date, items.filter(title)]);
    /** What was planned before a day and is not done. */
    const late = (days, now) => days.filter(([date]) => date < now).flatMap(([, items]) => items.filter((item) => item[0] !== "cards" && !finished(item)));

    return { title, address, finished, daysOf, late };
  }

  Object.assign(window.mlDesign, { MOCK, SHEET, CARDS, STUDY, noon, between, sum, long, agenda });
}
