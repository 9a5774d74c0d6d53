'use strict';
// Tables sort by their heads and filter by words. The script holds no data: names stand in the page alone, as text.

function valueOf(cell, numeric) {
  const text = cell.textContent.trim();
  if (text === '–' || text === '') return null;
  return numeric ? Number(text.replace(/,/g, '').replace('<', '').replace('−', '-')) : text;
}

function compare(a, b) {
  return typeof a === 'number' ? a - b : a.localeCompare(b, 'en', { numeric: true });
}

function sortBy(table, index, direction) {
  const heads = [...table.tHead.rows[0].cells];
  const numeric = heads[index].classList.contains('n');
  const sign = direction === 'ascending' ? 1 : -1;
  const rows = [...table.tBodies[0].rows].map(row => [valueOf(row.cells[index], numeric), row]);
  rows.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b)));
  table.tBodies[0].append(...rows.map(([, row]) => row)); // a row without a value stays last either way
  heads.forEach((head, other) => head.setAttribute('aria-sort', other === index ? direction : 'none'));
}

for (const table of document.querySelectorAll('table.sortable')) {
  [...table.tHead.rows[0].cells].forEach((head, index) => {
    head.querySelector('button').addEventListener('click', () => {
      sortBy(table, index, head.getAttribute('aria-sort') === 'ascending' ? 'descending' : 'ascending');
    });
  });
}

for (const input of document.querySelectorAll('input[data-table]')) {
  const table = document.getElementById(input.dataset.table);
  const rows = [...table.tBodies[0].rows];
  const texts = rows.map(row => [...row.cells].map(cell => cell.textContent).join('\n').toLowerCase());
  const count = input.parentElement.querySelector('output');
  const filter = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, index) => {
      row.hidden = !words.every(word => texts[index].includes(word));
      shown += !row.hidden;
    });
    count.textContent = words.length ? `${shown} of ${rows.length} rows` : `${rows.length} rows`;
  };
  input.addEventListener('input', filter);
  filter(); // a browser may have kept what was typed before the page was loaded again
}

// Paper has nothing to click on: all that is folded is printed.
let folded = [];
addEventListener('beforeprint', () => {
  folded = [...document.querySelectorAll('details:not([open])')];
  folded.forEach(part => { part.open = true; });
});
addEventListener('afterprint', () => folded.forEach(part => { part.open = false; }));
