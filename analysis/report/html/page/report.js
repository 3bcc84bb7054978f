// Draws the charts of a netab report. The options are data (JSON blocks beside
// each chart); only what ECharts wants as a function or a colour is put in
// here, so that text from a run record never becomes code or markup.
(function () {
  'use strict';
  var drawn = [];
  var paper = window.matchMedia('print');
  var dark = window.matchMedia('(prefers-color-scheme: dark)');

  function css(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
  function color(v) { return typeof v === 'string' && v.slice(0, 2) === '--' ? css(v) : v; }
  function escape(s) { return echarts.format.encodeHTML(String(s)).replace(/(^|[\s(])-(?=\d)/g, '$1\u2212'); }
  function isText(v) { return typeof v === 'string'; }
  function last(list) { return list[list.length - 1]; }

  // A tooltip is the text that the data item carries.
  function tip(p) {
    var v = p.value;
    if (Array.isArray(v) && isText(last(v))) return escape(last(v));
    return escape((p.seriesName || '') + ': ' + (Array.isArray(v) ? v.join(', ') : v) + (p.componentSubType === 'bar' ? ' %' : ''));
  }

  // Slices are many, so their tooltip is put together here.
  function sliceTip(p) {
    return escape(p.seriesName) + '<br>trial ' + p.value[2] + ', block ' + p.value[3] + ', ' + p.value[0].toFixed(2) + ' s: <b>' + escape(p.value[1]) + '</b>';
  }

  // Interval with caps and the estimate: low, high, value, category, colour.
  function intervals(params, api) {
    var lo = api.coord([api.value(0), api.value(3)]), hi = api.coord([api.value(1), api.value(3)]), at = api.coord([api.value(2), api.value(3)]);
    var stroke = color(api.value(4)), cap = 7;
    var line = function (x1, y1, x2, y2) { return { type: 'line', shape: { x1: x1, y1: y1, x2: x2, y2: y2 }, style: { stroke: stroke, lineWidth: 2.5 } }; };
    return { type: 'group', children: [
      line(lo[0], lo[1], hi[0], hi[1]), line(lo[0], lo[1] - cap, lo[0], lo[1] + cap), line(hi[0], hi[1] - cap, hi[0], hi[1] + cap),
      { type: 'rect', shape: { x: at[0] - 5.5, y: at[1] - 5.5, width: 11, height: 11, r: 1 }, style: { fill: stroke, stroke: css('--paper'), lineWidth: 1.5 } }] };
  }

  // Faint dot: value, category, place across the band from -1 to 1, colour.
  function dots(params, api) {
    var at = api.coord([api.value(0), api.value(1)]), band = api.size([0, 1])[1];
    return { type: 'circle', shape: { cx: at[0], cy: at[1] + api.value(2) * Math.min(band * 0.36, 16), r: 3 }, style: { fill: color(api.value(3)), opacity: 0.42 } };
  }

  // Dots in lanes of a category's band: value, category, place across the whole
  // band from -1 to 1, colour.
  function lanes(params, api) {
    var at = api.coord([api.value(0), api.value(1)]), band = api.size([0, 1])[1];
    return { type: 'circle', shape: { cx: at[0], cy: at[1] + api.value(2) * band * 0.42, r: 3 }, style: { fill: color(api.value(3)), opacity: 0.42 } };
  }

  // Tick across a lane: value, category, place, half of its height, colour.
  function ticks(params, api) {
    var at = api.coord([api.value(0), api.value(1)]), band = api.size([0, 1])[1] * 0.42, y = at[1] + api.value(2) * band, half = api.value(3) * band;
    return { type: 'line', shape: { x1: at[0], y1: y - half, x2: at[0], y2: y + half }, style: { stroke: color(api.value(4)), lineWidth: 3 } };
  }

  // Vertical error bar, cut at the edge of the grid: x, low, high, value.
  function errors(params, api) {
    var x = api.value(0), lo = api.coord([x, api.value(1)]), hi = api.coord([x, api.value(2)]), at = api.coord([x, api.value(3)]);
    var c = api.visual('color'), box = params.coordSys;
    var inside = function (y) { return Math.min(Math.max(y, box.y), box.y + box.height); };
    return { type: 'group', children: [
      { type: 'line', shape: { x1: lo[0], y1: inside(lo[1]), x2: hi[0], y2: inside(hi[1]) }, style: { stroke: c, lineWidth: 1.5, opacity: 0.8 } },
      { type: 'circle', shape: { cx: at[0], cy: at[1], r: 3.5 }, style: { fill: c } }] };
  }

  // Sizes are binary: 64, 4K, 128K.
  function size(v) {
    if (v >= 1048576 && v % 1048576 === 0) return v / 1048576 + 'M';
    return v >= 1024 && v % 1024 === 0 ? v / 1024 + 'K' : String(v);
  }

  // Percentiles by how rare they are: 1 in 10 is p90, 1 in 100 p99.
  function nines(v) {
    var digits = Math.round(Math.log(v) / Math.LN10);
    if (digits <= 0) return 'p0';
    return 'p' + (digits === 1 ? '90' : '99' + (digits > 2 ? '.' + '9'.repeat(digits - 2) : ''));
  }

  function cell(p) { return p.value[3]; }

  var functions = { '@tip': tip, '@slice': sliceTip, '@intervals': intervals, '@dots': dots, '@lanes': lanes, '@ticks': ticks, '@errors': errors, '@cell': cell, '@size': size, '@nines': nines };
  var functionKeys = { renderItem: 1, formatter: 1 };
  var colorKeys = { color: 1, borderColor: 1, backgroundColor: 1 };

  // Options with functions and colours in place; data rows stay as they are.
  function resolve(node, key) {
    if (key === 'data') return Array.isArray(node) && node.some(function (d) { return d && d.itemStyle; }) ? node.map(function (d) { return resolve(d); }) : node;
    if (isText(node)) {
      if (functionKeys[key]) return functions[node] || node;
      return colorKeys[key] ? color(node) : node;
    }
    if (Array.isArray(node)) return node.map(function (v) { return resolve(v, key); });
    if (!node || typeof node !== 'object') return node;
    var out = {};
    Object.keys(node).forEach(function (k) { out[k] = resolve(node[k], k); });
    if (out.type === 'log' && node.axisLabel && node.axisLabel.formatter === '@size') out.logBase = 2; // sizes and counts double
    return out;
  }

  // The theme is the page's own colours and font, as they are now.
  function theme() {
    var font = getComputedStyle(document.body).fontFamily, muted = css('--muted'), ink = css('--ink'), line = css('--line');
    var axis = {
      nameTextStyle: { color: muted, fontSize: 12.5, fontFamily: font }, axisLabel: { color: muted, fontSize: 12, fontFamily: font },
      axisLine: { lineStyle: { color: css('--axis') } }, axisTick: { lineStyle: { color: css('--axis') } }, splitLine: { lineStyle: { color: line } }, splitArea: { show: false }
    };
    return {
      darkMode: dark.matches && !paper.matches, textStyle: { fontFamily: font, color: ink }, backgroundColor: 'transparent', valueAxis: axis, logAxis: axis,
      categoryAxis: Object.assign({}, axis, { axisLabel: { color: ink, fontSize: 12.5, fontFamily: font }, splitLine: { show: false } }),
      legend: { textStyle: { color: ink, fontSize: 12.5 }, pageTextStyle: { color: muted }, inactiveColor: line },
      tooltip: { backgroundColor: css('--panel'), borderColor: line, textStyle: { color: ink, fontSize: 13 }, confine: true },
      dataZoom: { textStyle: { color: muted }, borderColor: line, fillerColor: css('--band'), handleStyle: { color: css('--paper'), borderColor: css('--axis') }, moveHandleStyle: { color: line } }
    };
  }

  function draw(block) {
    var box = document.getElementById(block.dataset.chart);
    // A page is laid out for paper only after this, so its width is not known
    // yet: that of A4 between its margins fits all papers.
    var chart = echarts.init(box, theme(), paper.matches ? { width: 680 } : {});
    chart.setOption(resolve(JSON.parse(block.textContent)));
    if (box.dataset.group) { chart.group = box.dataset.group; echarts.connect(chart.group); }
    drawn.push(chart);
  }

  // Of many arms the charts are large: each is drawn when it is scrolled to.
  var lazy = document.querySelector('form.sift') !== null && 'IntersectionObserver' in window, watching = null;
  function drawAll() {
    drawn.forEach(function (c) { c.dispose(); });
    drawn = [];
    if (watching) watching.disconnect();
    var blocks = Array.from(document.querySelectorAll('script[data-chart]'));
    if (!lazy || paper.matches) { blocks.forEach(draw); return; }
    watching = new IntersectionObserver(function (entries, by) {
      entries.forEach(function (e) {
        if (!e.isIntersecting) return;
        by.unobserve(e.target);
        draw(document.querySelector('script[data-chart="' + e.target.id + '"]'));
      });
    }, { rootMargin: '500px' });
    blocks.forEach(function (block) { watching.observe(document.getElementById(block.dataset.chart)); });
  }

  function fit() { if (!paper.matches) drawn.forEach(function (c) { c.resize(); }); }

  // Paper shows everything: folded parts are opened and charts drawn anew in
  // print colours and width; afterwards all is as it was.
  var opened = [];
  function toPaper() {
    opened = Array.prototype.filter.call(document.querySelectorAll('details'), function (d) { return !d.open; });
    opened.forEach(function (d) { d.open = true; });
    drawAll();
  }
  function fromPaper() {
    opened.forEach(function (d) { d.open = false; });
    opened = [];
    drawAll();
  }

  // Each cell gets the heading of its column, which is what remains of the head
  // where a narrow screen shows rows as cards.
  function label(table) {
    var grid = [], heads = [];
    Array.prototype.forEach.call(table.tHead ? table.tHead.rows : [], function (tr, y) {
      var x = 0;
      grid[y] = grid[y] || [];
      Array.prototype.forEach.call(tr.cells, function (th) {
        while (grid[y][x]) x++;
        for (var r = 0; r < th.rowSpan; r++) for (var c = 0; c < th.colSpan; c++) { grid[y + r] = grid[y + r] || []; grid[y + r][x + c] = th; }
        x += th.colSpan;
      });
    });
    grid.forEach(function (row) {
      row.forEach(function (th, x) {
        heads[x] = heads[x] || [];
        if (heads[x].indexOf(th) < 0) heads[x].push(th);
      });
    });
    Array.prototype.forEach.call(table.tBodies, function (body) {
      Array.prototype.forEach.call(body.rows, function (tr) {
        Array.prototype.forEach.call(tr.cells, function (td, x) {
          td.dataset.label = (heads[x] || []).map(function (th) { return th.textContent.trim(); }).filter(Boolean).join(', ');
        });
      });
    });
    if (heads.length) table.classList.add('stacked');
  }

  // Tables of many arms are sorted and filtered. The baseline stays where it is, above.
  function sift(form) {
    var body = form.nextElementSibling.tBodies[0], rows = Array.from(body.rows), ranks = ['regression', 'improvement', 'inconclusive', 'equivalent'];
    var number = function (tr, key) { return tr.dataset[key] === '' ? -Infinity : Number(tr.dataset[key]); };
    var keys = { change: function (tr) { return number(tr, 'change'); }, level: function (tr) { return number(tr, 'level'); }, verdict: function (tr) { return -ranks.indexOf(tr.dataset.verdict); } };
    function apply() {
      var text = form.elements.text.value.trim().toLowerCase(), verdict = form.elements.verdict.value, key = keys[form.elements.sort.value], shown = 0;
      rows.forEach(function (tr) {
        var base = tr.classList.contains('baseline');
        tr.hidden = !base && (text !== '' && (tr.dataset.arm + ' ' + tr.cells[0].textContent).toLowerCase().indexOf(text) < 0 || verdict !== '' && tr.dataset.verdict !== verdict);
        if (!tr.hidden && !base) shown++;
      });
      var sorted = rows.slice();
      if (key) sorted.sort(function (a, b) { return b.classList.contains('baseline') - a.classList.contains('baseline') || key(b) - key(a); });
      sorted.forEach(function (tr) { body.appendChild(tr); });
      form.querySelector('output').textContent = shown + ' shown';
    }
    form.hidden = false;
    form.addEventListener('input', apply);
    form.addEventListener('submit', function (e) { e.preventDefault(); });
    apply(); // a browser may remember what was chosen
  }

  // A command goes to the clipboard, or, where a page may not, is selected to be copied.
  function copies(button) {
    button.hidden = false;
    button.title = button.dataset.command;
    button.addEventListener('click', function () {
      var box = document.createElement('textarea');
      box.value = button.dataset.command;
      button.after(box);
      box.select();
      var done = document.execCommand('copy');
      if (done) box.remove();
      button.textContent = done ? 'copied' : 'press Ctrl-C';
    });
  }

  document.querySelectorAll('form.sift').forEach(sift);
  document.querySelectorAll('button.copy').forEach(copies);
  document.querySelectorAll('.scroll > table').forEach(label);
  drawAll();
  window.addEventListener('resize', fit);
  dark.addEventListener('change', drawAll);
  paper.addEventListener('change', function (e) { if (e.matches) toPaper(); else fromPaper(); });
})();
