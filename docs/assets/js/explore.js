// Figures with knobs. All that one can show came with the page (figures/explore.py): this looks it up and draws it.
"use strict";
for (const figure of document.querySelectorAll("figure.explore")) {
  const { make } = window.mlDesign;
  const { axes, quantities, curves, plane, says } = JSON.parse(figure.dataset.grid);
  const [svg, words, numbers] = ["svg", ".explore-says", ".numbers > div"].map((part) => figure.querySelector(part));
  const shows = svg.getAttribute("aria-label").slice(0, -words.textContent.length); // without the words, which change
  const stand = Object.fromEntries(Object.entries(axes).map(([name, axis]) => [name, axis.start]));

  /** The value of a quantity at a place in the grid: the last of its axes runs fastest. */
  const value = ({ axes: of, values }, at) => values[of.reduce((i, name) => i * axes[name].values.length + at[name], 0)];

  function text(name) {
    if (name in axes) return axes[name].texts[stand[name]];
    const { digits, unit, signed } = quantities[name];
    const form = { minimumFractionDigits: digits, maximumFractionDigits: digits, signDisplay: signed ? "always" : "auto" };
    return value(quantities[name], stand).toLocaleString("en-US", form).replace("-", "\u2212") + unit;
  }

  /** Where a number lies in the drawing. */
  function place([logarithmic, low, high, from, to], number) {
    const scale = logarithmic ? Math.log : (x) => x;
    return (from + ((scale(number) - scale(low)) / (scale(high) - scale(low))) * (to - from)).toFixed(2);
  }

  function draw() {
    curves.forEach(({ x, y, along }, i) => {
      const points = axes[along].values.map((number, k) => {
        const at = { ...stand, [along]: k };
        return [place(plane[0], x ? value(quantities[x], at) : number), place(plane[1], value(quantities[y], at))];
      });
      svg.querySelector(`[id$="-curve-${i}"] path`).setAttribute("d", `M${points.map((p) => p.join(" ")).join("L")}`);
      const dot = svg.querySelector(`[id$="-dot-${i}"] use`);
      ["x", "y"].forEach((name, k) => dot.setAttribute(name, points[stand[along]][k]));
    });
    words.textContent = says.replace(/\{(\w+)\}/g, (_, name) => text(name));
    svg.setAttribute("aria-label", shows + words.textContent);
  }

  function knob(axis) {
    const id = `${figure.id}-${axis.name}`;
    const shown = make("output", { for: id, "aria-live": "off" }); // the words say it aloud
    const range = make("input", { type: "range", id, min: 0, max: axis.values.length - 1, autocomplete: "off" });
    const tell = () => {
      shown.textContent = text(axis.name);
      range.setAttribute("aria-valuetext", text(axis.name));
    };
    range.value = axis.start;
    range.addEventListener("input", () => {
      stand[axis.name] = Number(range.value);
      tell();
      draw();
    });
    tell();
    return make("div", { class: "knob" }, make("label", { for: id }, axis.label), shown, range);
  }

  words.setAttribute("role", "status");
  words.before(make("div", { class: "knobs" }, ...Object.values(axes).filter((axis) => axis.knob).map(knob)));
  // The tables are wider than a phone: whoever has no mouse scrolls them by the arrow keys.
  for (const [name, said] of [["tabindex", 0], ["role", "region"], ["aria-label", "All numbers"]]) {
    numbers.setAttribute(name, said);
  }
}
