/** The page's language: its texts, and how numbers, sizes, dates and times are written in it. */

import { readableSize, say as fill, TEXTS as TEXTS_OF_CLIENT } from './filestore-client/src/client.js';
import * as ofClient from './filestore-client/src/languages.js';
import { DE } from './texts-de.js';
import { FR } from './texts-fr.js';
import { TEXTS } from './texts.js';

/** @typedef {import('./texts.js').Key} Key */
/** @typedef {Record<string, string>} Texts */
/** @typedef {{ [Name in Key]: Name extends `${infer Stem}_other` ? Stem : never }[Key]} Counted what depends on a number */

/** @type {Record<string, Texts>} */
const LANGUAGES = { en: TEXTS, de: { ...ofClient.de, ...DE }, fr: { ...ofClient.fr, ...FR } };

const HOUR = 3600;
const DAY = 24 * HOUR;

const asked = new URLSearchParams(location.search).get('lang');
const locale = [asked ?? '', ...navigator.languages].find((tag) => languageOf(tag)) ?? 'en';
/** @type {Texts} */
const texts = { ...LANGUAGES[languageOf(locale) ?? 'en'], locale };

/** For the uploader. */
export const clientTexts = /** @type {import('./filestore-client/src/client.js').Texts} */ (texts);

/**
 * @param {string} tag BCP 47
 * @returns {string | undefined} the one of the page's languages that it is
 */
function languageOf(tag) {
  try {
    const { language } = new Intl.Locale(tag);
    return Object.hasOwn(LANGUAGES, language) ? language : undefined;
  } catch {
    return undefined;
  }
}

/** Says what is in the page in its language. English is what it has. */
export function translate() {
  document.documentElement.lang = locale;
  document.documentElement.dir = texts.direction ?? 'ltr';
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-text]'))) {
    each.textContent = texts[each.dataset.text ?? ''] ?? each.textContent;
  }
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-label]'))) {
    each.setAttribute('aria-label', texts[each.dataset.label ?? ''] ?? each.ariaLabel ?? '');
  }
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('a[href$=".html"]'))) {
    link.href = addressOf(link.getAttribute('href') ?? '');
  }
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('.languages a'))) {
    const query = new URLSearchParams(location.search);
    query.set('lang', link.hreflang);
    link.href = `?${query}`;
    if (link.hreflang === languageOf(locale)) link.setAttribute('aria-current', 'true');
  }
}

/**
 * Another page in this language.
 *
 * @param {string} page
 * @param {Record<string, string>} [query]
 */
export function addressOf(page, query = {}) {
  const all = new URLSearchParams({ ...query, ...(asked && { lang: asked }) }).toString();
  return all ? `${page}?${all}` : page;
}

/**
 * @param {Key} key
 * @param {Record<string, string | number>} [values]
 */
export function say(key, values) {
  return fill(/** @type {any} */ (key), values, clientTexts);
}

/**
 * What depends on a number (Unicode's plural rules).
 *
 * @param {Counted} key
 * @param {number} count
 * @param {Record<string, string | number>} [values]
 */
export function sayCount(key, count, values = {}) {
  const form = `${key}_${new Intl.PluralRules(locale).select(count)}`;
  return say(/** @type {Key} */ (Object.hasOwn(texts, form) ? form : `${key}_other`), { count, ...values });
}

/**
 * What a service says of itself in English, in the page's language where the code is known.
 *
 * @param {{ code?: string | undefined, message?: string | undefined }} problem
 * @returns {string | undefined}
 */
export function sayProblem({ code, message }) {
  return texts[`problem_${code}`] ?? message;
}

/** @param {number} bytes */
export function size(bytes) {
  return readableSize(bytes, { locale, units: texts.units ?? TEXTS_OF_CLIENT.units });
}

/** @param {string} time ISO 8601 */
export function date(time) {
  return new Date(time).toLocaleString(locale, { dateStyle: 'medium', timeStyle: 'short' });
}

/** @param {number} milliseconds */
export function duration(milliseconds) {
  const left = Math.max(0, Math.ceil(milliseconds / 1000));
  const hours = Math.floor(left / HOUR);
  const minutes = Math.floor(left / 60) % 60;
  if (left > 2 * DAY) return unit(Math.floor(left / DAY), 'day', 'long');
  if (hours > 0) return minutes > 0 ? `${unit(hours, 'hour')} ${unit(minutes, 'minute')}` : unit(hours, 'hour');
  const clock = `${number(minutes)}:${number(left % 60, { minimumIntegerDigits: 2 })}`;
  return unit(minutes, 'minute').replace(number(minutes), clock);
}

/**
 * @param {string} one
 * @param {string} other
 */
export function compare(one, other) {
  return one.localeCompare(other, locale, { numeric: true });
}

/**
 * @param {number} value
 * @param {Intl.NumberFormatOptions} [how]
 */
function number(value, how) {
  return value.toLocaleString(locale, how);
}

/**
 * @param {number} value
 * @param {'day' | 'hour' | 'minute'} name
 * @param {'short' | 'long'} unitDisplay
 */
function unit(value, name, unitDisplay = 'short') {
  return number(value, { style: 'unit', unit: name, unitDisplay });
}
