// The incident drill: an alarm, a clock of fifteen minutes, views that cost some of them, then the cause, the first
// action, a score and the debrief. In a pause the clock stands, and nothing is there to read. Without this, the page
// lists each incident with its views and its answer, folded.
"use strict";
{
  const { load, save, day, count, make, button, keyOf, clamp, clock, leastDone, inOneTab } = window.mlDesign;
  const lists = document.querySelector(".drill");
  const { minutes, points, beginning } = JSON.parse(lists.dataset.drill);
  const [causes, actions] = [...lists.querySelectorAll("ul")].map((list) => [...list.children].map((item) => item.textContent));
  const length = minutes * 60_000;
  const me = String(Math.random()); // this tab: a drill goes on in one
  const incidents = [...document.querySelectorAll(".incident")].map((box) => {
    const heading = box.previousElementSibling;
    const views = new Map([...box.querySelectorAll(".view")].map((view) => [view.dataset.view, readView(view)]));
    const alarm = [...box.children].slice(0, 2);
    return { id: heading.id, title: heading.firstChild.textContent.trim(), box, alarm, views, ...JSON.parse(box.dataset.incident) };
  });
  const panel = make("section", { class: "trainer mock", "aria-label": "Incident drill" });
  const history = make("section", { class: "history", "aria-label": "Your drills" });
  // Folded, so that nobody reads an answer before it is asked.
  const all = make("details", { class: "question" }, make("summary", {}, "All incidents with their views and answers"));
  document.querySelector("article h2").before(panel, history);
  lists.before(all);
  all.append(lists);
  for (const { box } of incidents) all.append(box.previousElementSibling, box);
  let ticking = null;

  function readView(view) {
    const shown = [...view.children].slice(2); // behind the question and the price
    return { asks: view.querySelector("summary").textContent, price: Number(view.dataset.price), shown };
  }

  /** A copy whose ids are its own: drawings refer to theirs. */
  function copy(element) {
    const twin = element.cloneNode(true);
    for (const part of [twin, ...twin.querySelectorAll("*")]) {
      for (const { name, value } of [...part.attributes]) {
        if (name === "id") part.id = `drill-${value}`;
        else part.setAttribute(name, value.replace(/url\(#/, "url(#drill-").replace(/^#/, name === "fill" || name === "stroke" ? "#" : "#drill-"));
      }
    }
    return twin;
  }

  const price = (it, views) => views.reduce((sum, view) => sum + it.views.get(view).price, 0);

  /** The drill that goes on, or null; what it holds held to what the incident has today. */
  function current() {
    const now = load("drilling");
    const it = incidents.find(({ id }) => id === now?.id);
    if (!it) return null;
    return { it, now: { ...now, elapsed: clamp(0, now.elapsed, length), asked: [...new Set(now.asked)].filter((view) => it.views.has(view)) } };
  }

  /** What an answer counts, line by line: [words, points, of how many]. */
  function scored(it, { asked, cause, action }) {
    const keys = it.key.filter((view) => asked.includes(view));
    const began = asked.slice(0, beginning).filter((view) => it.good.slice(0, beginning).includes(view)).length;
    const idle = price(it, asked.filter((view) => it.idle.includes(view)));
    const right = cause === it.cause;
    return [
      [right ? (keys.length < it.key.length ? "The cause is right, and a guess" : "The cause is right") : "The cause is wrong", right ? points.cause : 0, points.cause],
      [action === it.action ? "The first action is right" : "The first action is wrong", action === it.action ? points.action : 0, points.action],
      [`You asked for ${keys.length} of the ${it.key.length} views without which the cause is a guess`, Math.floor((points.key * keys.length) / it.key.length), points.key],
      [`Of your first ${beginning} views, ${began} are among the first ${beginning} of the good order`, Math.min(points.first, began), points.first],
      [`You spent ${count(idle, "minute")} on views that look as in a sound week; ${points.idle} are free`, -Math.floor(Math.max(0, idle - points.idle) / points.idle), 0],
    ];
  }

  function show() {
    clearInterval(ticking);
    const found = current();
    document.body.classList.toggle("mock-runs", Boolean(found)); // nothing else is on the screen
    if (found) run(found.it, found.now);
    else choose();
  }

  const focused = () => panel.querySelector("h2").focus();

  function choose() {
    const done = load("drill").map(({ id }) => id);
    const times = (id) => done.filter((other) => other === id).length;
    const select = make("select", { id: "drill-incident" }, make("option", { value: "" }, "At random, one you have not done"));
    for (const { id, title } of incidents) select.append(make("option", { value: id }, times(id) ? `${title} (done)` : title));
    const start = () => {
      const id = select.value || leastDone(incidents, (it) => times(it.id)).id;
      save("drilling", { id, elapsed: 0, since: Date.now(), asked: [], tab: me });
      show();
      focused();
    };
    panel.replaceChildren(
      make("p", {}, make("label", { for: "drill-incident" }, "Incident "), select),
      make("p", {}, button(`Start ${minutes} minutes`, start, true)),
    );
  }

  function giveUp() {
    if (!window.confirm("Give up this incident? Nothing of it is kept.")) return;
    save("drilling", null);
    show();
    panel.querySelector("select").focus();
  }

  function run(it, now) {
    const said = make("p", { role: "status" });
    const left = make("p", { class: "clock", role: "timer" });
    const spent = make("p", { class: "phase" });
    const seen = make("div", {});
    const asks = [...it.views].map(([view, { asks: words, price: costs }]) =>
      make("button", { type: "button", class: "ask", "data-view": view, onclick: () => ask(view) }, words, " ", make("small", {}, `${costs} min`)),
    );
    const select = (id, label, texts, value) =>
      make(
        "p",
        {},
        make("label", { for: id }, label),
        make("select", { id, onchange: () => keep({ [id.slice(6)]: Number(document.getElementById(id).value) }) },
          make("option", { value: -1 }, "Choose"),
          ...texts.map((text, i) => make("option", { value: i, selected: i === value }, text))),
      );
    const pause = button("", toggle);
    const call = button("That is it", name, true);
    const alarm = it.alarm.map(copy);
    const desk = [
      make("h3", {}, "Ask for a view"),
      make("div", { class: "asks" }, ...asks),
      seen,
      make("h3", {}, "Your call"),
      select("drill-cause", "The cause ", causes, now.cause),
      select("drill-action", "Your first action ", actions, now.action),
    ];
    panel.replaceChildren(
      make("h2", { tabindex: -1 }, it.title),
      ...alarm,
      make("div", { class: "dial" }, left, spent),
      ...desk,
      make("p", { class: "controls" }, call, " ", pause, " ", button("Give up", giveUp)),
      said,
    );
    keep({ tab: me });
    now.asked.forEach(lay);

    function keep(change) {
      now = { ...now, ...change };
      if (!save("drilling", now)) said.textContent = "Your browser does not store this. Keep this tab open until you are done.";
    }

    const open = () => length - now.elapsed - price(it, now.asked) * 60_000;

    function tick() {
      if (now.since !== null) {
        // Step by step, so that a clock set back costs one step and adds none.
        keep({ elapsed: clamp(0, now.elapsed + Math.max(0, Date.now() - now.since), length), since: Date.now() });
      }
      const rest = open();
      const paused = rest > 0 && now.since === null;
      left.textContent = `${clock(rest)} left`;
      spent.textContent =
        rest <= 0 ? "Time is up. Make your call."
        : paused ? "Paused. Alarm, views and choices are hidden: reading takes time."
        : `${count(now.asked.length, "view")} seen, for ${count(price(it, now.asked), "minute")}`;
      for (const part of [...alarm, ...desk, call]) part.hidden = paused;
      pause.textContent = paused ? "Go on" : "Pause";
      if (rest <= 0 && document.activeElement === pause) focused(); // it goes
      pause.hidden = rest <= 0;
      for (const each of asks) {
        each.hidden = now.asked.includes(each.dataset.view);
        each.disabled = it.views.get(each.dataset.view).price * 60_000 > rest;
      }
    }

    function toggle() {
      tick();
      if (open() > 0) keep({ since: now.since === null ? Date.now() : null });
      tick();
    }

    function lay(view) {
      const { asks: words, shown } = it.views.get(view);
      const heading = make("summary", {}, words);
      for (const older of seen.children) older.open = false;
      const wide = make("div", { class: "md-typeset__scrollwrap" }, ...shown.map(copy));
      seen.prepend(make("details", { class: "question", open: true }, heading, wide)); // the newest on top
      return heading;
    }

    function ask(view) {
      tick();
      if (open() < it.views.get(view).price * 60_000 || now.asked.includes(view)) return;
      keep({ asked: [...now.asked, view] });
      lay(view).focus();
      tick();
    }

    function name() {
      if (!(now.cause >= 0 && now.action >= 0)) {
        said.textContent = "Choose a cause and a first action.";
        document.getElementById(now.cause >= 0 ? "drill-action" : "drill-cause").focus();
        return;
      }
      tick();
      clearInterval(ticking);
      debrief(it, now);
    }

    ticking = setInterval(tick, 500);
    tick();
  }

  function debrief(it, now) {
    const lines = scored(it, now);
    const most = lines.reduce((sum, [, , of]) => sum + of, 0);
    const got = Math.max(0, lines.reduce((sum, [, own]) => sum + own, 0));
    const kept = save("drill", [...load("drill"), { date: day(), id: it.id, title: it.title, points: got, of: most }]);
    save("drilling", null);
    document.body.classList.remove("mock-runs");
    const [, ...answer] = it.box.querySelector(".answer").children;
    const others = answer.findIndex(({ tagName }) => tagName === "UL"); // why not each of the other actions, below a line
    const why = [...answer[others].children].find((line) => line.querySelector("strong").textContent === `${actions[now.action]}.`);
    answer.splice(others - 1, 2);
    const yours = now.asked.map((view) => make("li", {}, it.views.get(view).asks.replace(/\?.*/, "?"), it.idle.includes(view) ? " As in a sound week." : ""));
    panel.replaceChildren(
      make("h2", { tabindex: -1 }, `${it.title}: ${got} of ${most} points`),
      make(
        "table",
        {},
        make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "What counts"), make("th", { scope: "col" }, "Points"))),
        make("tbody", {}, ...lines.map(([words, own, of]) => make("tr", {}, make("td", {}, words), make("td", {}, of ? `${own} of ${of}` : String(own))))),
      ),
      make("p", {}, `You said: ${causes[now.cause]}. ${actions[now.action]}.`),
      ...(why ? [make("p", {}, "Why not that first? ", ...[...why.childNodes].slice(1).map((node) => node.cloneNode(true)))] : []),
      make("h3", {}, "What it was, and what to ask in which order"),
      ...answer.map(copy),
      make("h3", {}, "What you asked for"),
      yours.length ? make("ol", {}, ...yours) : make("p", {}, "Nothing."),
      make("p", { class: "controls" }, button("Another incident", () => (show(), panel.querySelector("select").focus()), true)),
    );
    showHistory(kept ? "Kept in this browser only." : "Your browser does not keep it.");
    focused();
  }

  function showHistory(where = "Kept in this browser only.") {
    const runs = load("drill");
    history.replaceChildren();
    if (!runs.length) return;
    const rows = runs.map((done) => make("li", {}, `${done.date}, ${done.title}, ${done.points} of ${done.of}`)).reverse();
    history.append(make("h2", { tabindex: -1 }, "Your drills"), make("p", {}, where), make("ul", {}, ...rows));
  }

  window.addEventListener("storage", ({ key }) => key === keyOf("drill") && showHistory());
  inOneTab("drilling", { name: "drill", current, me, stop: () => clearInterval(ticking), show, panel });

  showHistory();
  show();
}
