// The search takes a dash before a word for "without it"; people who search for --ui-port mean the option.
document.addEventListener(
  "input",
  ({ target }) => {
    if (target.matches(".md-search__input")) target.value = target.value.replace(/(^|\s)-+/g, "$1");
  },
  true,
);
