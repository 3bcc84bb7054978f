// Filters the questions of a store. Without it the page shows all of them.
(function () {
  'use strict';
  var form = document.getElementById('filters'), left = document.getElementById('left');
  var parts = Array.from(document.querySelectorAll('[data-question]'));

  function filter() {
    var machine = form.elements.machine.value, kernel = form.elements.kernel.value, scenario = form.elements.scenario.value;
    var contradicted = form.elements.contradicted.checked, shown = 0;
    parts.forEach(function (part) {
      var d = part.dataset;
      var wanted = (!machine || d.machine === machine) && (!scenario || d.scenario === scenario) &&
        (!kernel || (' ' + d.kernels + ' ').indexOf(' ' + kernel + ' ') >= 0) && (!contradicted || d.contradicted === 'yes');
      part.hidden = !wanted;
      if (wanted && part.tagName === 'TBODY') shown++;
    });
    left.textContent = shown + ' shown';
  }

  if (!form) return;
  form.hidden = false;
  form.addEventListener('change', filter);
  form.addEventListener('submit', function (e) { e.preventDefault(); });
  filter(); // a browser may remember what was chosen
  // A link to what a filter hides shows it again, and one to runs unfolds them.
  window.addEventListener('hashchange', function () {
    var at = document.getElementById(location.hash.slice(1));
    if (!at) return;
    if (at.hidden) { form.reset(); filter(); }
    if (at.tagName === 'DETAILS') at.open = true;
    at.scrollIntoView();
  });
})();
