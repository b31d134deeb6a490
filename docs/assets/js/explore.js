// Figures with knobs. All that one can show came with the page (figures/explore.py): this looks it up and draws it.
"use strict";
for (const figure of document.querySelectorAll("figure.explore")) {
  const { make } = window.mlDesign;
  const { axes, quantities, curves, plane, says } = JSON.parse(figure.dataset.grid);
  const [svg, words, numbers] = ["svg", ".explore-says", ".numbers > div"].map((part) => figure.querySelector(part));
  const shows = svg.getAttribute("aria-label").slice(0, -words.textContent.length); // without the words, which change
  const start = () => Object.entries(axes).map(([name, axis]) => [name, axis.start]);
  const stand = Object.fromEntries(start());
  const knobs = {};
  // The numbers stand in the tables, one for each quantity: the last of its axes runs fastest.
  const tables = numbers.querySelectorAll("table");
  Object.values(quantities).forEach((quantity, i) => {
    quantity.cells = [...tables[i].querySelectorAll("td")].map((cell) => cell.textContent);
  });

  /** What a quantity says at a place in the grid. */
  const cell = ({ axes: of, cells }, at) => cells[of.reduce((i, name) => i * axes[name].values.length + at[name], 0)];

  /** The number that it says, and its spread, which is 0 where none is said. */
  function read(quantity, at) {
    const [value, spread = 0] = cell(quantity, at).replace(/[,\s]/g, "").replace("\u2212", "-").split("±").map(Number);
    return { value, spread };
  }

  const text = (name) =>
    name in axes ? axes[name].texts[stand[name]] : cell(quantities[name], stand) + quantities[name].unit;

  /** Where a number lies in the drawing. */
  function place([logarithmic, low, high, from, to], number) {
    const scale = logarithmic ? Math.log : (x) => x;
    return (from + ((scale(number) - scale(low)) / (scale(high) - scale(low))) * (to - from)).toFixed(2);
  }

  /** A way through points; where nothing lies between them, a step for each. */
  function way(points, steps) {
    const ends = steps ? points.flatMap(([x, y]) => [[x - 0.5, y], [x + 0.5, y]]) : points;
    return ends.map(([x, y]) => `${place(plane[0], x)} ${place(plane[1], y)}`);
  }

  function draw() {
    curves.forEach(({ x, y, along, steps }, i) => {
      const points = axes[along].values.map((number, k) => {
        const at = { ...stand, [along]: k };
        const { value, spread } = read(quantities[y], at);
        return [x ? read(quantities[x], at).value : number, value, spread];
      });
      const part = (name, tag = "path") => svg.querySelector(`[id$="-${name}-${i}"] ${tag}`);
      part("curve").setAttribute("d", `M${way(points, steps).join("L")}`);
      const [low, high] = [-1, 1].map((side) => way(points.map(([a, b, spread]) => [a, b + side * spread]), steps));
      part("band")?.setAttribute("d", `M${[...low, ...high.reverse()].join("L")}Z`);
      const [a, b] = points[stand[along]];
      part("dot", "use").setAttribute("x", place(plane[0], a));
      part("dot", "use").setAttribute("y", place(plane[1], b));
    });
    words.textContent = says.replace(/\{(\w+)\}/g, (_, name) => text(name));
    svg.setAttribute("aria-label", shows + words.textContent);
  }

  // While a knob turns, it says its own value. What follows is said when it rests.
  const heard = make("p", { class: "md-visually-hidden", role: "status" });
  let resting;
  function turn() {
    for (const [name, { range, shown }] of Object.entries(knobs)) {
      stand[name] = Number(range.value);
      shown.textContent = text(name);
      range.setAttribute("aria-valuetext", text(name));
    }
    draw();
    clearTimeout(resting);
    resting = setTimeout(() => (heard.textContent = words.textContent), 600);
  }

  function knob(axis) {
    const id = `${figure.id}-${axis.name}`;
    const shown = make("output", { for: id, "aria-live": "off" }, text(axis.name));
    const range = make("input", { type: "range", id, min: 0, max: axis.values.length - 1, autocomplete: "off" });
    range.value = axis.start;
    range.setAttribute("aria-valuetext", text(axis.name));
    range.addEventListener("input", turn);
    knobs[axis.name] = { range, shown };
    return make("div", { class: "knob" }, make("label", { for: id }, axis.label), shown, range);
  }

  function reset() {
    for (const [name, at] of start()) if (name in knobs) knobs[name].range.value = at;
    turn();
  }

  const turned = Object.values(axes).filter((axis) => axis.knob).map(knob);
  const again = make("button", { type: "button", class: "knobs-reset", onclick: reset }, "Reset");
  words.before(make("div", { class: "knobs" }, ...turned, again));
  words.after(heard);
  // The tables are wider than a phone: whoever has no mouse scrolls them by the arrow keys.
  for (const [name, said] of [["tabindex", 0], ["role", "region"], ["aria-label", "All numbers"]]) {
    numbers.setAttribute(name, said);
  }
}
