// A plan by date: what the lists of this page name, in their order, put into the days that are left until an interview.
// Without this, the lists stand as they are.
"use strict";
{
  const { pageOf, addressOf, load, save, day, count, make, button, download, keyOf, noon, between } = window.mlDesign;
  const { MOCK, SHEET, CARDS, sum, long, agenda } = window.mlDesign;
  const MOCK_MINUTES = 45;
  const CARD_MINUTES = 10;
  const MOST = 42; // days: who has more begins later
  const READING = 150; // minutes of it for each mock interview with its answer, which take an hour: reading is not all
  const WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
  const lists = document.querySelector(".plan");

  /** What there is to do, by worth: each page that the lists name, once, in their order. */
  const things = new Map();
  let sheet = 0;
  for (const item of lists.querySelectorAll("li")) {
    const link = item.querySelector("a");
    const page = pageOf(link.href);
    const minutes = parseInt(item.querySelector(".reading")?.textContent ?? "0", 10);
    if (page === SHEET) sheet = minutes;
    if (!minutes || [MOCK, SHEET].includes(page) || things.has(page)) continue;
    const kind = item.dataset.case ? "case" : page.endsWith("/quiz/") ? "quiz" : "read";
    things.set(page, { kind, page, minutes, title: item.dataset.case ?? link.textContent });
  }

  const { title, address, finished, daysOf, late } = agenda((page) => things.get(page)?.title);

  /** The things by worth: as they come, but case studies as often as one practises. */
  function byWorth(all) {
    const cases = all.filter(({ kind }) => kind === "case");
    const order = [];
    let gone = 0;
    for (const thing of all.filter(({ kind }) => kind !== "case")) {
      order.push(thing);
      gone += thing.minutes;
      if (gone >= READING && cases.length) {
        order.push(cases.shift());
        gone = 0;
      }
    }
    return [...order, ...cases];
  }

  /**
   * The things in the order of study: as they come, with a mock interview before each answer, and these spread. At the
   * end one prompt comes again: one taken once, or else the first of two and more, whose answer was read days ago.
   */
  function inOrder(chosen, once) {
    const cases = chosen.filter(({ kind }) => kind === "case");
    const others = chosen.filter(({ kind }) => kind !== "case");
    const total = others.reduce((sum, { minutes }) => sum + minutes, 0);
    const order = [];
    let gone = 0;
    let next = 0;
    const due = () => next < cases.length && gone >= total * (0.4 + (0.6 * (next + 0.5)) / cases.length);
    const practise = () => {
      if (!cases[next].mocked) order.push({ ...cases[next], kind: "mock", minutes: MOCK_MINUTES });
      order.push(cases[next]);
      next += 1;
    };
    for (const thing of others) {
      while (due()) practise();
      order.push(thing);
      gone += thing.minutes;
    }
    while (next < cases.length) practise();
    if (once || cases.length > 1) order.push({ ...(once ?? cases[0]), kind: "again", minutes: MOCK_MINUTES });
    return order;
  }

  /** Put things in order into days of so many minutes; a page that still fits may come before a longer thing. */
  function fill(order, rooms) {
    const queue = [...order];
    const days = rooms.map((room, day) => {
      const longest = Math.max(...rooms.slice(day));
      const mine = [];
      let left = room;
      while (queue.length) {
        let i = queue.findIndex(({ kind, minutes }, at) => minutes <= left && (at === 0 || kind === "read"));
        if (i < 0 && !mine.length && queue[0].minutes > longest) i = 0; // longer than any day to come: alone
        if (i < 0) break;
        const [thing] = queue.splice(i, 1);
        mine.push(thing);
        left -= thing.minutes;
      }
      return mine;
    });
    return { days, rest: queue };
  }

  /**
   * What to do on which day: as many of the things, from the first, as fit; if all do, no more on a day than it takes.
   * Cards come each day but the first, the sheet comes on the last, which has nothing new if there are others. Of the
   * first day some minutes may be spent. A case may be given that was taken once.
   */
  function schedule(things, dates, minutes, onSheet, spent = 0, once = undefined) {
    const all = byWorth(things);
    const cards = minutes >= 3 * CARD_MINUTES ? CARD_MINUTES : 0;
    const fresh = dates.length > 1 ? dates.slice(0, -1) : dates;
    const rooms = (each) => fresh.map((_, i) => each - (i ? cards : spent) - (dates.length === 1 ? onSheet : 0));
    const filledBy = (count, each) => fill(inOrder(all.slice(0, count), once), rooms(each));
    let chosen = all.length;
    let filled = filledBy(chosen, minutes);
    while (filled.rest.length) filled = filledBy((chosen -= 1), minutes);
    for (let less = minutes - 5; chosen === all.length && less >= 3 * CARD_MINUTES; less -= 5) {
      const lighter = filledBy(chosen, less);
      if (lighter.rest.length) break;
      filled = lighter;
    }
    const days = dates.map((date, i) => {
      const own = (filled.days[i] ?? []).map(({ kind, page, minutes: each }) => [kind, page, each]);
      if (i && cards) own.push(["cards", CARDS, cards]);
      if (i === dates.length - 1) own.push(["sheet", SHEET, onSheet]);
      return [date, own];
    });
    return { days, left: all.slice(chosen).map(({ page, minutes: each }) => [page, each]) };
  }

  const panel = make("section", { class: "trainer planner", "aria-label": "A plan by date" });
  lists.before(panel);
  const said = (date) =>
    noon(date).toLocaleDateString("en", { weekday: "long", day: "numeric", month: "long", ...(date > day(300) && { year: "numeric" }) });

  /** Plan what is not done yet, from today on; what was done today has taken its minutes. */
  function plan({ day: until, minutes, off, at }) {
    const before = load("plan");
    const open = [...things.values()].filter(({ kind, page }) => !finished([kind, page]));
    const known = open.map((thing) => ({ ...thing, mocked: thing.kind === "case" && finished(["mock", thing.page]) }));
    const dates = between(day(), until, off).slice(-MOST);
    const roomy = dates.length > 2 && minutes >= MOCK_MINUTES + CARD_MINUTES; // enough for more than that one
    const isOnce = ({ kind, page }) => kind === "case" && finished(["case", page]) && finished(["mock", page]) && !finished(["again", page]);
    const once = roomy ? [...things.values()].find(isOnce) : undefined;
    const today = dates[0] === day() ? (before?.days.find(([date]) => date === day())?.[1] ?? []) : [];
    const made = schedule(known, dates, minutes, sheet, sum(today.filter((item) => finished(item, day()))), once);
    // Days that are in a calendar by now, and in this plan no more.
    const gone = [...(before?.gone ?? []), ...(before?.days ?? []).map(([date]) => date)].filter((date) => date >= day() && !dates.includes(date));
    save("plan", { day: until, minutes, off, at, revision: (before?.revision ?? 0) + 1, gone: [...new Set(gone)], ...made });
    show();
    panel.querySelector("h2").focus();
  }

  function show() {
    const kept = load("plan");
    const until = make("input", { type: "date", id: "plan-day", required: true, min: day(1), max: day(730), value: kept?.day ?? "" });
    const minutes = make("input", { type: "number", id: "plan-minutes", required: true, min: 15, max: 600, step: 5, value: kept?.minutes ?? 60 });
    const off = WEEK.map((name, i) => make("input", { type: "checkbox", value: i, checked: kept?.off.includes(i) ?? false }));
    const at = make("input", { type: "time", id: "plan-at", required: true, value: kept?.at ?? "19:00" });
    const status = make("p", { role: "status" });
    const form = make(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          const free = off.filter((box) => box.checked).map((box) => Number(box.value));
          if (until.value > day(730)) status.textContent = "That is more than two years from now.";
          else if (!between(day(), until.value).length) status.textContent = "No day is left before it: read the cheat sheet, and nothing new.";
          else if (!between(day(), until.value, free).length) status.textContent = "No day of the week is left to study on.";
          else plan({ day: until.value, minutes: Number(minutes.value), off: free, at: at.value });
        },
      },
      make("p", {}, make("label", { for: until.id }, "Day of the interview "), until),
      make("p", {}, make("label", { for: minutes.id }, "Minutes a day "), minutes, " ", make("label", { for: at.id }, "from "), at),
      make("fieldset", {}, make("legend", {}, "Not on"), ...off.map((box, i) => make("label", {}, box, ` ${WEEK[i]} `))),
      make("p", {}, make("button", { class: "md-button md-button--primary" }, kept ? "Plan anew from today" : "Plan my days")),
      status,
    );
    panel.replaceChildren(make("h2", { tabindex: -1 }, "By date"), ...(kept ? days(kept) : []), form);
  }

  function days(kept) {
    const now = day();
    if (kept.day === now) return [make("p", {}, "Your interview is today: ", make("a", { href: addressOf(SHEET) }, "the cheat sheet"), ", and nothing new.")];
    if (kept.day < now) return [make("p", {}, `Your interview was planned for ${said(kept.day)}. For another one, say its day.`)];
    const known = daysOf(kept);
    const open = late(known, now);
    const all = known.flatMap(([, items]) => items);
    const words = [`${said(kept.day)} is in ${count(between(now, kept.day).length, "day")}. `];
    if (known[0][0] > now) words.push(`The plan begins on ${said(known[0][0])}. `);
    if (known[0][0] <= now) words.push(open.length ? `You are behind by ${long(sum(open))}: plan anew, or catch up.` : "You are not behind.");
    const line = (item, date) => make("li", {}, make("a", { href: address(item) }, title(item)), finished(item, date) ? ", done" : "");
    const one = ([date, items]) =>
      make(
        "li",
        {},
        make("strong", {}, date === now ? "Today" : said(date)),
        make("span", { class: "reading" }, long(sum(items))),
        make("ul", {}, ...items.map((item) => line(item, date))),
      );
    const [gone, coming] = [known.filter(([date]) => date < now), known.filter(([date]) => date >= now)];
    const folded = (name, ...inside) => make("details", { class: "question" }, make("summary", {}, name), ...inside);
    const left = kept.left.filter(([page]) => things.has(page));
    return [
      make("p", { class: "state" }, ...words),
      ...(open.length ? [make("ul", {}, ...open.map((item) => line(item)))] : []),
      ...(gone.length ? [folded(`${count(gone.length, "day")} gone by`, make("ol", {}, ...gone.map(one)))] : []),
      make("ol", {}, ...coming.map(one)),
      ...(left.length
        ? [
            folded(
              `Left out for lack of time: ${left.length} pages, ${long(left.reduce((total, [, each]) => total + each, 0))}`,
              make("ul", {}, ...left.map(([page]) => make("li", {}, make("a", { href: addressOf(page) }, things.get(page).title)))),
            ),
          ]
        : []),
      make("p", {}, `${long(sum(all))} in all. `, button("Save as a calendar file", () => download("ml-design-plan.ics", calendar(kept), "text/calendar"))),
    ];
  }

  /** The days as a calendar (RFC 5545), at the reader's own time, wherever that is. A newer one replaces an older one's days. */
  function calendar(kept) {
    const escaped = (text) => text.replace(/[\\;,]/g, "\\$&").replace(/\n/g, "\\n");
    const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
    const busy = daysOf(kept).filter(([, items]) => items.length);
    const event = (date, ...lines) => [
      "BEGIN:VEVENT",
      `UID:${date}@ml-design.study-plan`,
      `DTSTAMP:${stamp}`,
      `SEQUENCE:${kept.revision}`,
      `DTSTART:${date.replaceAll("-", "")}T${kept.at.replace(":", "")}00`,
      ...lines,
      "END:VEVENT",
    ];
    const events = busy.flatMap(([date, items]) =>
      event(
        date,
        `DURATION:PT${sum(items)}M`,
        `SUMMARY:${escaped(`ML Design: ${items.map(title).join(", ")}`)}`,
        `DESCRIPTION:${escaped(items.map((item) => `${title(item)}: ${address(item)}`).join("\n"))}`,
      ),
    );
    const cancelled = (kept.gone ?? []).flatMap((date) => event(date, "STATUS:CANCELLED", "SUMMARY:ML Design: not on this day"));
    const lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//ML Design//Study plan//EN", ...events, ...cancelled, "END:VCALENDAR"];
    return `${lines.map(folded).join("\r\n")}\r\n`;
  }

  /** A line in parts of at most 75 bytes, no sign cut in two. */
  function folded(line) {
    const parts = [""];
    const bytes = (text) => new TextEncoder().encode(text).length;
    for (const sign of line) {
      if (bytes(parts.at(-1) + sign) > 75) parts.push(" ");
      parts[parts.length - 1] += sign;
    }
    return parts.join("\r\n");
  }

  window.addEventListener("storage", (event) => ["plan", "read", "mock", "quiz", "cards"].some((kind) => event.key === keyOf(kind)) && show());
  lists.addEventListener("change", show); // a page was ticked
  show();
  Object.assign(window.mlDesign, { schedule }); // a pure function, which tests call
}
