// Draws the differential flame graphs of a report. What is drawn is data (a JSON block
// in each figure); all text goes in as text. Everything is laid out in per cent, so that
// a graph follows the width of the page by itself.
(function () {
  'use strict';
  var ROW = 21;       // px
  var LEAST = 0.12;   // per cent: what is narrower is not drawn

  function number(x) {
    var a = Math.abs(x);
    if (a === 0) return '0';
    if (a >= 1000) return String(Math.round(a)).replace(/\B(?=(\d{3})+$)/g, '\u2009');
    return a >= 100 ? a.toFixed(0) : a >= 0.1 ? String(+a.toPrecision(3)) : a.toFixed(2);
  }
  function signed(x) { return (x < 0 ? '\u2212' : '+') + number(x); }
  function percent(x) { return (100 * x < 10 ? (100 * x).toFixed(1) : (100 * x).toFixed(0)) + '\u2009%'; }

  function make(tag, cls, text) {
    var e = document.createElement(tag);
    if (cls) e.className = cls;
    if (text !== undefined) e.textContent = text;
    return e;
  }

  // The tree of a data block, below a root that has all of it.
  function tree(data) {
    var root = { name: data.role, value: [0, 0], lo: 0, hi: 0, sure: false, depth: 0, calls: [], up: null };
    var all = [root], open = [root];
    data.frames.forEach(function (f) {
      var up = open[f[0]];
      var n = { name: data.names[f[1]], value: [f[2], f[3]], lo: f[4], hi: f[5], sure: f[6] === 1, depth: f[0] + 1, calls: [], up: up };
      up.calls.push(n);
      if (up === root) { root.value[0] += f[2]; root.value[1] += f[3]; }
      open[n.depth] = n;
      all.push(n);
    });
    return all;
  }

  function start(block) {
    var figure = document.getElementById(block.dataset.flame);
    var data = JSON.parse(block.textContent);
    var nodes = tree(data), root = nodes[0];
    var side = 1, zoomed = root, current = root;
    var most = nodes.reduce(function (m, n) { return n.sure ? Math.max(m, Math.abs(n.value[1] - n.value[0])) : m; }, 0);

    // What can be operated.
    var bar = make('div', 'flame-bar');
    var sides = make('span', 'flame-sides');
    var buttons = [data.from, data.to].map(function (name, i) {
      var b = make('button', '', name);
      b.type = 'button';
      b.addEventListener('click', function () { side = i; layout(); });
      sides.appendChild(b);
      return b;
    });
    sides.insertBefore(make('span', 'muted', 'Widths of '), buttons[0]);
    var search = make('input');
    search.type = 'search'; search.placeholder = 'Find a function'; search.setAttribute('aria-label', 'Find a function');
    var whole = make('button', '', 'Show all');
    whole.type = 'button';
    whole.addEventListener('click', function () { zoom(root); });
    [sides, search, whole].forEach(function (e) { bar.appendChild(e); });

    var box = make('div', 'flame-box');
    box.setAttribute('role', 'tree');
    box.setAttribute('aria-label', 'Flame graph of the ' + data.role + ': arrows move, Enter enlarges, Escape shows all, slash searches');
    var said = make('p', 'flame-said');
    said.setAttribute('aria-live', 'polite');
    var key = make('p', 'flame-key');
    [['less', 'less with ' + data.to], ['more', 'more with ' + data.to], ['', data.exact ? 'the same' : 'no change beyond chance']].forEach(function (k) {
      var s = make('span', 'flame-swatch ' + k[0]), of = make('span');
      s.style.setProperty('--much', '0.8');
      of.appendChild(s);
      of.appendChild(document.createTextNode(k[1]));
      key.appendChild(of);
      key.appendChild(document.createTextNode(' '));
    });

    nodes.forEach(function (n) {
      var d = n.value[1] - n.value[0], e = make('div', 'frame');
      e.appendChild(make('span', '', n.name));
      e.setAttribute('role', 'treeitem');
      e.setAttribute('aria-level', String(n.depth + 1));
      e.setAttribute('aria-label', told(n));
      e.tabIndex = -1;
      if (n.sure && most > 0) {
        e.classList.add(d < 0 ? 'less' : 'more');
        e.style.setProperty('--much', (0.14 + 0.72 * Math.sqrt(Math.abs(d) / most)).toFixed(2));
      }
      e.addEventListener('mouseenter', function () { say(n); });
      e.addEventListener('focus', function () { choose(n); });
      e.addEventListener('click', function () { zoom(n); e.focus({ preventScroll: true }); });
      n.element = e;
      box.appendChild(e);
    });
    box.addEventListener('mouseleave', function () { say(current); });

    function told(n) {
      var d = n.value[1] - n.value[0];
      var text = n.name + ': ' + number(n.value[0]) + ' \u2192 ' + number(n.value[1]) + ' ' + data.unit + ', ' + signed(d);
      if (n !== root && !data.exact) text += ' (' + (n.sure ? signed(n.lo) + ' to ' + signed(n.hi) : 'within chance') + ')';
      if (root.value[side] > 0) text += ', ' + percent(n.value[side] / root.value[side]) + ' of ' + [data.from, data.to][side];
      if (n !== root && n.value[1] === 0) text += '; only with ' + data.from;
      if (n !== root && n.value[0] === 0) text += '; only with ' + data.to;
      return text;
    }
    function say(n) { said.textContent = told(n); }
    function choose(n) {
      current.element.tabIndex = -1;
      current = n;
      n.element.tabIndex = 0;
      say(n);
    }
    function zoom(n) {
      zoomed = n.value[side] > 0 ? n : root;
      layout();
    }

    // Places of all frames: those above the one that is enlarged are as wide as the
    // graph, what is beside them is not there.
    function layout() {
      buttons.forEach(function (b, i) { b.setAttribute('aria-pressed', String(i === side)); });
      if (!(zoomed.value[side] > 0)) zoomed = root;
      whole.disabled = zoomed === root;
      nodes.forEach(function (n) { n.width = 0; });
      for (var n = zoomed; n; n = n.up) { n.left = 0; n.width = 100; }
      var scale = 100 / zoomed.value[side], deepest = zoomed.depth;
      (function place(n) {
        var at = n.left;
        n.calls.forEach(function (c) {
          c.left = at; c.width = c.value[side] * scale;
          at += c.width;
          if (c.width >= LEAST) place(c);
        });
      })(zoomed);
      nodes.forEach(function (n) {
        var e = n.element, shown = n.width >= LEAST;
        e.hidden = !shown;
        if (!shown) return;
        deepest = Math.max(deepest, n.depth);
        e.classList.toggle('above', n.depth < zoomed.depth);
        e.style.left = n.left.toFixed(3) + '%';
        e.style.width = n.width.toFixed(3) + '%';
        e.style.top = n.depth * ROW + 'px';
        e.setAttribute('aria-label', told(n));
      });
      box.style.height = (deepest + 1) * ROW + 'px';
      if (current.element.hidden) choose(zoomed);
      say(current);
      find();
    }

    function find() {
      var text = search.value.trim().toLowerCase(), hits = 0, sum = [0, 0];
      box.classList.toggle('searching', text !== '');
      nodes.forEach(function (n) {
        n.hit = text !== '' && n !== root && n.name.toLowerCase().indexOf(text) >= 0;
        n.element.classList.toggle('hit', n.hit);
        if (!n.hit) return;
        hits++;
        for (var up = n.up; up && !up.hit; up = up.up) { /* one that calls itself counts once */ }
        if (!up) { sum[0] += n.value[0]; sum[1] += n.value[1]; }
      });
      if (text !== '') {
        said.textContent = hits === 0 ? 'No function has \u201c' + search.value.trim() + '\u201d in its name.' :
          hits + (hits === 1 ? ' box' : ' boxes') + ': ' + number(sum[0]) + ' \u2192 ' + number(sum[1]) + ' ' + data.unit + ', ' + signed(sum[1] - sum[0]);
      }
    }
    search.addEventListener('input', find);
    search.addEventListener('keydown', function (ev) {
      if (ev.key === 'Escape' && search.value !== '') { search.value = ''; find(); say(current); ev.preventDefault(); }
      if (ev.key !== 'Enter') return;
      var hit = nodes.filter(function (n) { return n.hit && !n.element.hidden; })[0];
      if (hit) hit.element.focus();
      ev.preventDefault();
    });

    function beside(n, step) {
      var row = nodes.filter(function (m) { return m.depth === n.depth && !m.element.hidden; }).sort(function (a, b) { return a.left - b.left; });
      return row[row.indexOf(n) + step];
    }
    box.addEventListener('keydown', function (ev) {
      var to = null;
      switch (ev.key) {
        case 'ArrowUp': to = current.up; break;
        case 'ArrowDown': to = current.calls.filter(function (c) { return !c.element.hidden; })[0]; break;
        case 'ArrowLeft': to = beside(current, -1); break;
        case 'ArrowRight': to = beside(current, 1); break;
        case 'Home': to = root; break;
        case 'Enter': case ' ': zoom(current); break;
        case 'Escape': zoom(root); break;
        case '/': search.focus(); break;
        default: return;
      }
      ev.preventDefault();
      if (to) to.element.focus();
    });

    [bar, said, box, key].forEach(function (e) { figure.appendChild(e); });
    figure.hidden = false;
    root.element.tabIndex = 0;
    layout();
  }

  // Of several graphs of one thing (by role, by CPU) one is shown at a time.
  function alternate(group) {
    var figures = Array.prototype.slice.call(group.querySelectorAll('figure.flame'));
    var bar = make('div', 'flame-bar flame-views'), set = make('span', 'flame-sides');
    bar.setAttribute('role', 'group');
    bar.setAttribute('aria-label', 'Which flame graph');
    var buttons = figures.map(function (f, i) {
      var b = make('button', '', f.dataset.short);
      b.type = 'button';
      b.setAttribute('aria-controls', f.id);
      b.addEventListener('click', function () { show(i); });
      set.appendChild(b);
      return b;
    });
    function show(shown) {
      figures.forEach(function (f, i) {
        f.hidden = i !== shown;
        buttons[i].setAttribute('aria-pressed', String(i === shown));
      });
    }
    bar.appendChild(set);
    group.insertBefore(bar, figures[0]);
    show(0);
  }

  document.querySelectorAll('script[data-flame]').forEach(start);
  document.querySelectorAll('.flames').forEach(alternate);
})();
