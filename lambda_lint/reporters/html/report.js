"use strict";
(() => {
  const root = document.documentElement;
  // The theme: system, then light, then dark. A page from a file may have no storage.
  const KEY = "lambda-lint-theme";
  const themes = ["system", "light", "dark"];
  const switcher = document.getElementById("theme");
  const paint = (name) => {
    if (name === "system") delete root.dataset.theme;
    else root.dataset.theme = name;
    switcher.querySelector("span").textContent = name;
  };
  let theme = "system";
  try {
    theme = localStorage.getItem(KEY) || "system";
  } catch {}
  if (!themes.includes(theme)) theme = "system";
  paint(theme);
  switcher.hidden = false;
  switcher.addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    paint(theme);
    try {
      localStorage.setItem(KEY, theme);
    } catch {}
  });
  root.dataset.ready = "yes";

  // The filters, where there is anything to filter.
  const form = document.getElementById("filters");
  if (!form) return;
  const articles = [...document.querySelectorAll("article.finding")];
  const output = form.querySelector("output");
  const none = document.getElementById("none");
  const fold = document.getElementById("fold");
  const boxes = [...form.querySelectorAll("[name=severity]")];
  const ruleNames = [...form.elements.rule.options].slice(1).map((one) => [one, one.text]);
  const handlerNames = [...form.elements.handler.options].slice(1).map((one) => [one, one.text]);
  const entries = articles.map((article) => ({
    article,
    rule: article.dataset.rule,
    severity: article.dataset.severity,
    handlers: new Set(article.dataset.handlers.split(" ").filter(Boolean)),
    text: null,
  }));

  const wanted = () => {
    const chosen = form.elements.handler.selectedOptions[0];
    return {
      q: form.elements.q.value.trim().toLowerCase(),
      rule: form.elements.rule.value,
      handler: form.elements.handler.value,
      number: (chosen && chosen.dataset.number) || "",
      severities: new Set(boxes.filter((one) => one.checked).map((one) => one.value)),
    };
  };

  const hasText = (entry, q) => {
    if (!q) return true;
    if (entry.text === null) entry.text = entry.article.textContent.toLowerCase();
    return entry.text.includes(q);
  };

  // Each choice is counted with all others in force, so that it says what choosing it would show.
  const apply = () => {
    const want = wanted();
    const counts = { rule: new Map(), number: new Map(), severity: new Map() };
    const count = (map, key) => map.set(key, (map.get(key) || 0) + 1);
    let shown = 0;
    for (const entry of entries) {
      const isRule = !want.rule || entry.rule === want.rule;
      const isHandler = !want.number || entry.handlers.has(want.number);
      const isSeverity = want.severities.has(entry.severity);
      const isText = hasText(entry, want.q);
      const fits = isRule && isHandler && isSeverity && isText;
      if (isText && isHandler && isSeverity) count(counts.rule, entry.rule);
      if (isText && isHandler && isRule) count(counts.severity, entry.severity);
      if (isText && isRule && isSeverity) entry.handlers.forEach((one) => count(counts.number, one));
      if (entry.article.hidden === fits) entry.article.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const [option, name] of ruleNames) {
      option.text = `${name} (${counts.rule.get(option.value) || 0})`;
    }
    for (const [option, name] of handlerNames) {
      option.text = `${name} (${counts.number.get(option.dataset.number) || 0})`;
    }
    for (const box of boxes) {
      box.parentElement.querySelector(".count").textContent = counts.severity.get(box.value) || 0;
    }
    output.textContent = `${shown} of ${entries.length} findings`;
    none.hidden = shown > 0;
  };

  const remember = () => {
    const want = wanted();
    const state = new URLSearchParams();
    if (want.q) state.set("q", form.elements.q.value.trim());
    if (want.rule) state.set("rule", want.rule);
    if (want.handler) state.set("handler", want.handler);
    if (want.severities.size < boxes.length) state.set("severity", [...want.severities].join(","));
    const text = state.toString();
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  };

  const clear = () => {
    form.elements.q.value = form.elements.rule.value = form.elements.handler.value = "";
    for (const box of boxes) box.checked = true;
  };

  const reveal = (id) => {
    const target = document.getElementById(id);
    if (!target) return;
    const article = target.closest("article");
    if (article && article.hidden) {
      clear();
      apply();
    }
    if (target.matches("details")) target.open = true;
    const inner = article && article.querySelector("details");
    if (inner) inner.open = true;
    for (let one = target.closest("details"); one; one = one.parentElement.closest("details")) {
      one.open = true;
    }
    // Entries out of sight have no height of their own yet: what is above settles in one frame.
    target.scrollIntoView();
    requestAnimationFrame(() => target.scrollIntoView());
  };

  const restore = () => {
    const hash = location.hash.slice(1);
    if (!hash) return;
    if (!hash.includes("=")) {
      reveal(hash);
      return;
    }
    const state = new URLSearchParams(hash);
    clear();
    form.elements.q.value = state.get("q") || "";
    form.elements.rule.value = state.get("rule") || "";
    form.elements.handler.value = state.get("handler") || "";
    // A link from another run may name what this one does not have.
    if (form.elements.rule.selectedIndex < 0) form.elements.rule.value = "";
    if (form.elements.handler.selectedIndex < 0) form.elements.handler.value = "";
    if (state.has("severity")) {
      const chosen = new Set(state.get("severity").split(","));
      for (const box of boxes) box.checked = chosen.has(box.value);
    }
    apply();
    form.scrollIntoView();
  };

  let timer = 0;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      apply();
      remember();
    }, 80);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    clear();
    apply();
    remember();
  });
  fold.addEventListener("click", () => {
    const open = fold.textContent !== "Fold all";
    for (const article of articles) article.querySelector("details").open = open;
    fold.textContent = open ? "Fold all" : "Unfold all";
  });
  for (const button of document.querySelectorAll("button.only")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      clear();
      form.elements.handler.value = button.dataset.handler;
      apply();
      remember();
      form.scrollIntoView();
      form.elements.handler.focus({ preventScroll: true });
    });
  }

  form.hidden = false;
  apply();
  window.addEventListener("hashchange", restore);
  restore();
})();
