"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // A page on disk may have no storage.
  const remembered = (value) => {
    try {
      if (value !== undefined) localStorage.setItem("ci-action-theme", value);
      return localStorage.getItem("ci-action-theme");
    } catch {
      return null;
    }
  };
  const paint = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };
  paint(remembered());

  const themes = () => {
    const known = root.dataset.theme || "system";
    for (const radio of document.querySelectorAll("#theme input")) {
      radio.checked = radio.value === known;
      radio.addEventListener("change", () => paint(remembered(radio.value) ?? radio.value));
    }
  };

  const copying = () => {
    for (const button of document.querySelectorAll("[data-copy]")) {
      const source = document.getElementById(button.dataset.copy);
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(source.textContent);
          button.textContent = "Copied";
        } catch {
          getSelection().selectAllChildren(source);
          button.textContent = "Selected";
        }
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
    }
  };

  const filtering = () => {
    const form = document.getElementById("filters");
    if (!form) return;
    const shown = document.getElementById("shown");
    const groups = [...document.querySelectorAll(".file")].map((element) => ({
      element,
      number: element.querySelector("[data-number]"),
      rows: [...element.querySelectorAll(".finding")].map((row) => ({
        row, data: row.dataset, path: row.dataset.path.toLowerCase(), text: null, count: Number(row.dataset.count || 1),
      })),
    }));
    const total = groups.flatMap((group) => group.rows).reduce((sum, one) => sum + one.count, 0);
    const chosen = (name) => (form.elements[name] ? form.elements[name].value : "");

    const apply = () => {
      const exact = ["stage", "tool", "level", "severity"].map((name) => [name, chosen(name)]).filter((pair) => pair[1]);
      const muted = chosen("muted");
      const path = chosen("path").trim().toLowerCase();
      const words = chosen("text").toLowerCase().split(/\s+/).filter(Boolean);
      const matches = (one) => {
        if (muted && (one.data.muted || "no") !== muted) return false;
        if (exact.some(([name, value]) => one.data[name] !== value)) return false;
        if (path && !one.path.includes(path)) return false;
        if (words.length && one.text === null) one.text = `${one.path} ${one.row.textContent.toLowerCase()}`;
        return words.every((word) => one.text.includes(word));
      };
      let count = 0;
      for (const group of groups) {
        let here = 0;
        for (const one of group.rows) {
          const match = matches(one);
          if (one.row.hidden === match) one.row.hidden = !match;
          here += match ? one.count : 0;
        }
        group.element.hidden = here === 0;
        group.number.textContent = here.toLocaleString("en");
        count += here;
      }
      shown.value = `${count.toLocaleString("en")} of ${total.toLocaleString("en")} shown`;
    };

    let waiting = 0;
    const soon = () => {
      cancelAnimationFrame(waiting);
      waiting = requestAnimationFrame(apply);
    };
    form.addEventListener("input", soon);
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => event.preventDefault());
    document.addEventListener("keydown", (event) => {
      const typing = event.target.closest("input, select, textarea");
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        form.elements.text.focus();
      }
    });
    for (const link of document.querySelectorAll("a[data-tool]")) {
      link.addEventListener("click", () => {
        form.reset();
        for (const name of ["stage", "tool"]) if (form.elements[name]) form.elements[name].value = link.dataset[name];
        apply();
      });
    }
    apply();
  };

  // What is folded up is printed too; browsers that know ::details-content do so by themselves.
  const printing = () => {
    let closed = [];
    addEventListener("beforeprint", () => {
      closed = [...document.querySelectorAll("details:not([open])")];
      for (const one of closed) one.open = true;
    });
    addEventListener("afterprint", () => {
      for (const one of closed) one.open = false;
    });
  };

  document.addEventListener("DOMContentLoaded", () => {
    themes();
    copying();
    filtering();
    printing();
    root.classList.add("ready");
  });
})();
