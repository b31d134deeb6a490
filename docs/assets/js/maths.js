// Typesets the formulas that pymdownx.arithmatex leaves as \(…\) and \[…\]. Loaded only on pages that have some.
document.addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll(".arithmatex")) {
    const source = element.textContent.trim();
    const displayMode = source.startsWith("\\[");
    katex.render(source.slice(2, -2), element, { displayMode, throwOnError: false });
    if (displayMode) element.tabIndex = 0; // wider than a phone: it must scroll from the keyboard too
  }
});
