// filters.js -- the filters of the question, in the grammar of the API:
//   page==/pricing;country==DE|FR;source!=Google      ; and, | or, * any run, \ escapes

/** Splits at a separator that is not escaped; the escapes stay. */
function split(text, separator) {
  const parts = [''];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\' && i + 1 < text.length) parts[parts.length - 1] += text[i] + text[++i];
    else if (text[i] === separator) parts.push('');
    else parts[parts.length - 1] += text[i];
  }
  return parts;
}

const unescape = (text) => text.replace(/\\(.)/gs, '$1');

/** A value as it stands in a filter that means exactly it. */
export const escape = (value) => value.replace(/[\\;|*]/g, '\\$&');

/** [{property, is, value}]; value is the text behind the operator, escapes and all. */
export function parse(text) {
  return split(text || '', ';').filter(Boolean).map((part) => {
    const found = /^(.*?)(==|!=)(.*)$/s.exec(part);
    return found && { property: found[1], is: found[2] === '==', value: found[3] };
  }).filter(Boolean);
}

export const format = (filters) => filters.map((f) => f.property + (f.is ? '==' : '!=') + f.value).join(';');

/** The values as a person reads them. */
export const values = (filter) => split(filter.value, '|').map(unescape);

/** The filters with one more; one on the same property that means the same side gives way. */
export function add(filters, property, value, is = true) {
  return [...filters.filter((f) => f.property !== property || f.is !== is),
    { property, is, value: escape(value) }];
}

export const has = (filters, property, value) => filters.some(
  (f) => f.property === property && f.is && f.value === escape(value));

export const without = (filters, index) => filters.filter((_, i) => i !== index);
