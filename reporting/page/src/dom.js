// dom.js -- elements from values.  What comes from an event is only ever set as text or as
// an attribute, never parsed as HTML.

/** h('a.name', {href, onclick, css: {width: '1px'}}, child, ...): children are nodes, texts,
 * arrays or nothing.  css is set property by property, which the page's policy allows. */
export function h(name, props, ...children) {
  const [tag, ...classes] = name.split('.');
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(' ');
  set(element, props);
  add(element, children);
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

export function svg(tag, props, ...children) {
  const element = document.createElementNS(SVG, tag);
  set(element, props);
  add(element, children);
  return element;
}

function set(element, props) {
  for (const [key, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key === 'css') for (const [name, text] of Object.entries(value)) element.style.setProperty(name, text);
    else if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? '' : value);
  }
}

function add(element, children) {
  for (const child of children.flat(9)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child);
  }
}

/** Puts the children in place of what is there, and keeps the focus on what has the same key. */
export function fill(element, ...children) {
  const key = document.activeElement?.dataset?.key;
  const had = key && element.contains(document.activeElement);
  element.replaceChildren();
  add(element, children);
  if (had) [...element.querySelectorAll('[data-key]')].find((e) => e.dataset.key === key)?.focus();
}
