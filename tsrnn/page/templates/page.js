'use strict';
(function () {
  const all = (what, within) => Array.from((within || document).querySelectorAll(what));
  const number = text => { const found = parseFloat(text.replace(/[,\s]/g, '')); return isNaN(found) ? null : found; };

  function sort(table, column, heading) {
    const down = heading.getAttribute('aria-sort') === 'ascending';
    const rows = Array.from(table.tBodies[0].rows).map(row => {
      const text = row.cells[column].innerText.trim();
      return {row, text, value: number(text)};
    });
    rows.sort((a, b) => {
      if ((a.value === null) !== (b.value === null)) return a.value === null ? 1 : -1;
      const order = a.value === null ? a.text.localeCompare(b.text) : a.value - b.value;
      return down ? -order : order;
    });
    all('[aria-sort]', table).forEach(each => each.removeAttribute('aria-sort'));
    heading.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    table.tBodies[0].append(...rows.map(each => each.row));
  }

  all('table.sortable').forEach(table => all('thead th', table).forEach((heading, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener('click', () => sort(table, column, heading));
  }));

  all('.filters').forEach(bar => {
    const table = document.getElementById(bar.dataset.for), rows = Array.from(table.tBodies[0].rows);
    const words = bar.querySelector('[type=search]'), count = bar.querySelector('.count');
    function filter() {
      const asked = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const tracks = all('[data-key=track]:not(:checked)', bar).map(each => each.value);
      const published = bar.querySelector('[data-key=published]');
      let shown = 0;
      rows.forEach(row => {
        const text = row.innerText.toLowerCase(), track = row.dataset.track;
        row.hidden = false;
        const kept = asked.every(word => row.textContent.toLowerCase().includes(word)) && !tracks.includes(track) &&
          (track !== '' || !published || published.checked);
        row.hidden = !kept;
        shown += kept;
      });
      count.textContent = shown < rows.length ? shown + ' of ' + rows.length + ' lines' : '';
    }
    bar.addEventListener('input', filter);
    bar.hidden = false;
  });

  const samples = all('.sample'), browse = document.querySelector('.browse');
  if (browse && samples.length > 1) {
    const select = browse.querySelector('select');
    samples.forEach((each, k) => select.add(new Option(each.querySelector('h3').textContent, k)));
    const show = () => samples.forEach((each, k) => { each.hidden = k !== +select.value; });
    select.addEventListener('change', show);
    all('button', browse).forEach(button => button.addEventListener('click', () => {
      select.value = (+select.value + +button.dataset.step + samples.length) % samples.length;
      show();
    }));
    browse.hidden = false;
    show();
  }

  all('svg.f').forEach(drawn => {
    const button = document.createElement('button'), name = drawn.dataset.name;
    button.type = 'button';
    button.className = 'plain';
    button.textContent = 'Save SVG';
    button.setAttribute('aria-label', 'Save SVG: ' + name);
    button.addEventListener('click', () => {
      const copy = drawn.cloneNode(true), style = document.createElementNS(copy.namespaceURI, 'style');
      style.textContent = document.querySelector('style').textContent.split(':root')[0];
      copy.setAttribute('xmlns', copy.namespaceURI);
      copy.prepend(style);
      const link = document.createElement('a');
      link.href = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(copy.outerHTML);
      link.download = name.replace(/[^\w.-]+/g, '-') + '.svg';
      link.click();
    });
    drawn.closest('.scroll').after(button);
  });

  function reveal() {
    const asked = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    const folded = asked && asked.closest('details');
    if (folded) { folded.open = true; asked.focus({preventScroll: true}); folded.scrollIntoView(); }
  }
  addEventListener('hashchange', reveal);
  reveal();

  let opened = [];
  addEventListener('beforeprint', () => {
    opened = all('details:not([open])');
    opened.concat(samples).forEach(each => { each.open = true; each.hidden = false; });
  });
  addEventListener('afterprint', () => {
    opened.forEach(each => { each.open = false; });
    if (browse && samples.length > 1) browse.querySelector('select').dispatchEvent(new Event('change'));
  });
}());
