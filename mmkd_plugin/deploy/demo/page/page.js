// Draws what the server tells. Its messages: about (once, first), then state, decisions, frame; or error, before it closes.
'use strict';

const KEPT = 200; // rows of the table, as many as the server keeps
const CLASSES = 12; // drawn at most, the most probable
const SVG = 'http://www.w3.org/2000/svg';
const by = id => document.getElementById(id);
const share = value => value === null ? '–' : `${(100 * value).toFixed(1)} %`;
const seconds = value => `${value.toFixed(2)} s`;
const number = value => Number(value.toPrecision(3)).toString().replace('-', '−');

let about = null;
let paused = false;
let count = 0;
let rows = []; // decisions, the newest first
let frame = null;
let changed = true; // whether there are decisions that are not drawn
let scheduled = false;
let state = '';
let channels = []; // what is drawn anew: path, range and canvases of each channel

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

// Builds a row for each channel: its signal, and an image of each view.
function begin() {
  channels = [];
  by('channels').replaceChildren();
  by('notes').replaceChildren();
  const [width, length] = [about.channels.length, `${about.window} samples (${number(about.seconds)} s)`];
  by('notes').append(element('li', {}, `The student reads ${about.reads}: ${width} channels at ${number(about.student_rate)} Hz, windows of ${length}.`));
  if (about.pushed) by('notes').append(element('li', {}, `Samples are taken at ws://${location.host}/push, at ${number(about.rate)} Hz.`));
  const unit = index => about.units[index] ? ` (${about.units[index]})` : '';
  about.channels.slice(0, about.drawn).forEach((name, index) => {
    const svg = document.createElementNS(SVG, 'svg');
    const path = document.createElementNS(SVG, 'path');
    const range = element('span', { class: 'range' });
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', `signal of ${name}`);
    svg.setAttribute('preserveAspectRatio', 'none');
    svg.append(path);
    const row = element('div', { class: 'channel' });
    row.append(element('figure', { class: 'signal' }, element('figcaption', {}, element('span', {}, name + unit(index)), range), svg));
    const images = about.views.map(view => {
      const canvas = element('canvas', { role: 'img', 'aria-label': `${view.title} of ${name}` });
      row.append(element('figure', { class: 'image' }, element('figcaption', {}, view.title), canvas));
      return canvas;
    });
    by('channels').append(row);
    channels.push({ svg, path, range, images });
  });
  for (const view of about.views) {
    const [x, y] = view.axes;
    by('notes').append(element('li', {}, `${view.title}: ${x} to the right, ${y} upwards; `, element('span', {}), `. ${view.note}.`));
  }
  if (about.channels.length > about.drawn) by('notes').append(element('li', {}, `${about.channels.length - about.drawn} more channels are not drawn.`));
}

function drawSignal() {
  const full = frame.samples === about.window;
  by('window').textContent = `Last ${full ? 'window' : `${frame.samples} of ${about.window} samples of a window`}, ${seconds(frame.start)} to ${seconds(frame.end)}`;
  channels.forEach(({ svg, path, range }, index) => {
    const [low, high, values] = [frame.low[index], frame.high[index], frame.signal[index]];
    const x = i => (i * (frame.samples / about.window) * 1000) / Math.max(1, values.length - 1);
    svg.setAttribute('viewBox', '0 -3 1000 106');
    path.setAttribute('d', values.map((value, i) => `${i ? 'L' : 'M'}${x(i).toFixed(1)} ${(100 * (high - value) / (high - low)).toFixed(2)}`).join(''));
    range.textContent = `${number(low)} to ${number(high)}`;
  });
}

function drawImages() {
  const items = by('notes').querySelectorAll('li > span');
  about.views.forEach((view, which) => {
    const image = frame.images[which];
    if (items[which]) items[which].textContent = image ? `black is ${number(image.low)}, white ${number(image.high)}` : 'drawn of a whole window';
    const bytes = image && Uint8Array.from(atob(image.pixels), letter => letter.charCodeAt(0));
    channels.forEach(({ images }, index) => {
      const canvas = images[which];
      if (!image) return canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height);
      if (canvas.width !== image.width) canvas.width = image.width;
      if (canvas.height !== image.height) canvas.height = image.height;
      const pixels = new ImageData(image.width, image.height);
      const area = image.width * image.height;
      for (let i = 0; i < area; i++) {
        pixels.data.fill(bytes[index * area + i], 4 * i, 4 * i + 3);
        pixels.data[4 * i + 3] = 255;
      }
      canvas.getContext('2d').putImageData(pixels, 0, 0);
    });
  });
}

function drawDecisions() {
  const last = rows[0];
  const name = last ? last.class : '–';
  if (by('class').textContent !== name) by('class').textContent = name; // told aloud only where it changes
  by('span').textContent = last ? `${share(last.probability)}, ${seconds(last.start)} to ${seconds(last.end)}` : 'no window yet';
  let shares = last ? Object.entries(last.probabilities) : about.classes.map(each => [each, 0]);
  const lowest = shares.map(each => each[1]).sort((a, b) => b - a)[CLASSES - 1] ?? 0;
  const all = shares.length;
  if (all > CLASSES) shares = shares.filter(each => each[1] >= lowest).slice(0, CLASSES);
  by('classes').tBodies[0].replaceChildren(...shares.map(([each, value]) => {
    const bar = element('i');
    bar.style.inlineSize = `${100 * value}%`;
    return element('tr', last && each === last.class ? { class: 'first' } : {},
      element('th', { scope: 'row' }, each), element('td', { class: 'bar' }, bar), element('td', { class: 'n' }, share(value)));
  }));
  by('other-classes').textContent = all > shares.length ? `and ${all - shares.length} less probable classes` : '';
  by('count').textContent = `${count} since the signal began${count > rows.length ? `, the last ${rows.length} below` : ''}; the newest first`;
  const names = rows.map(row => [row.source, row.recording].filter(Boolean).join(' '));
  const named = new Set(names).size > 1;
  by('named').hidden = !named;
  by('rows').tBodies[0].replaceChildren(...rows.map((row, index) => element('tr', {}, ...(named ? [element('td', {}, names[index])] : []),
    element('td', { class: 'n' }, seconds(row.start)), element('td', { class: 'n' }, seconds(row.end)),
    element('td', {}, row.class), element('td', { class: 'n' }, share(row.probability)))));
}

function draw() {
  scheduled = false;
  if (paused || !about) return;
  if (by('state').textContent !== state) by('state').textContent = state;
  if (changed) drawDecisions();
  changed = false;
  if (frame) {
    drawSignal();
    drawImages();
  }
}

function take(message) {
  if (message.about) {
    about = message.about;
    [count, rows, frame, changed] = [0, [], null, true];
    begin();
    return;
  }
  if (message.error) {
    state = message.error;
    return;
  }
  state = message.state;
  changed = changed || message.decisions.length > 0;
  count += message.skipped;
  for (const row of message.decisions) {
    if (row) rows.unshift(row);
    else rows = [];
    count = row ? count + 1 : 0;
  }
  rows.length = Math.min(rows.length, KEPT);
  frame = message.frame ?? frame;
}

function connect() {
  by('again').hidden = true;
  state = '';
  const socket = new WebSocket(`ws://${location.host}/watch`);
  let refused = false;
  socket.onmessage = event => {
    const message = JSON.parse(event.data);
    refused = refused || Boolean(message.error);
    take(message);
    if (!scheduled) requestAnimationFrame(draw);
    scheduled = true;
  };
  socket.onclose = () => {
    const reason = refused ? state : 'the server has stopped, or does not answer';
    state = `The connection has ended: ${reason}.`;
    by('state').textContent = state;
    by('again').hidden = false;
  };
}

by('pause').addEventListener('click', () => {
  paused = !paused;
  by('pause').setAttribute('aria-pressed', String(paused));
  draw();
});
by('again').addEventListener('click', connect);
connect();
