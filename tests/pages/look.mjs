/** What is to be seen on a page. It runs in the page, on its own: nothing outside of it is there. */
export function look() {
  const all = selector => [...document.querySelectorAll(selector)];
  const words = element => element.innerText.replace(/\s+/g, ' ').trim();

  /** [red, green, blue, opacity] of what the browser computed, each from 0 to 1. */
  const channels = color => {
    const numbers = color.match(/[\d.]+/g).map(Number);
    if (!color.startsWith('rgb')) throw new Error(`a colour in another form: ${color}`);
    return [...numbers.slice(0, 3).map(n => n / 255), numbers[3] ?? 1];
  };
  /** One colour over another. */
  const over = ([r, g, b, a], ground) => [r, g, b].map((c, i) => c * a + ground[i] * (1 - a));
  /** Relative luminance, as WCAG 2.2 defines it. */
  const luminance = color => {
    const [r, g, b] = color.map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const line = element => {
    const up = [];
    for (let at = element; at; at = at.parentElement) up.unshift(at);
    return up;
  };
  /** The ground that an element stands on: all that is painted below it. */
  const ground = element => {
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    const canvas = dark ? [18 / 255, 18 / 255, 18 / 255] : [1, 1, 1];
    return line(element).reduce((below, at) => over(channels(getComputedStyle(at).backgroundColor), below), canvas);
  };
  const opacity = element => line(element).reduce((o, at) => o * Number(getComputedStyle(at).opacity), 1);

  /** Every element that has text of its own and can be seen. */
  const readable = all('body *').filter(element =>
    [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim())
      && element.getClientRects().length > 0);
  const contrasts = readable.map(element => {
    const style = getComputedStyle(element), below = ground(element);
    const [r, g, b, a] = channels(style.color);
    const ratio = contrast(over([r, g, b, a * opacity(element)], below), below);
    const size = parseFloat(style.fontSize);
    return { ratio, size, bold: Number(style.fontWeight) >= 700, text: words(element).slice(0, 60) };
  });

  /** What reaches beyond the right edge, or is cut off within its own box. */
  const width = document.documentElement.clientWidth;
  const overflowing = all('body *').filter(element => {
    const { left, right } = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const cut = element.scrollWidth > element.clientWidth + 1 && style.display !== 'inline';
    return right > width + 0.5 || left < -0.5 || cut;
  }).map(element => `${element.tagName.toLowerCase()}: ${words(element).slice(0, 60)}`);

  const value = element => {
    const items = element.querySelectorAll('li');
    return items.length ? [...items].map(words) : words(element);
  };
  /** Names and values, under the heading that they stand below. */
  const facts = {};
  for (const list of all('dl')) {
    const section = list.closest('section');
    const heading = section?.querySelector('h2');
    const group = (facts[heading ? words(heading) : ''] ??= {});
    for (const name of list.querySelectorAll(':scope > div > dt')) {
      group[words(name)] = value(name.parentElement.querySelector('dd'));
    }
  }
  return {
    title: document.title,
    lang: document.documentElement.lang,
    headings: all('h1, h2, h3').map(h => `${h.tagName.toLowerCase()} ${words(h)}`),
    landmarks: all('main').length,
    facts,
    chain: all('ol > li').map(words),
    rows: all('table tr').map(row => [...row.cells].map(words)),
    links: all('a').map(a => ({ text: words(a), href: a.getAttribute('href') })),
    scrolls: document.documentElement.scrollWidth - width,
    overflowing,
    contrasts,
    scripts: all('script').length,
    ground: ground(document.body).map(c => Math.round(c * 255)),
  };
}

/**
 * Does in the page what somebody would who got markup into it, and says what came of it. It comes last:
 * nothing is as it was after that.
 */
export async function tempt() {
  const violated = new Set();
  document.addEventListener('securitypolicyviolation', event => violated.add(event.effectiveDirective));
  const put = (name, change) => {
    const element = document.createElement(name);
    change(element);
    document.body.append(element);
    return element;
  };
  put('script', script => { script.textContent = 'window.fooled = true' });
  put('style', style => { style.textContent = 'h1 { color: rgb(1, 2, 3) !important }' });
  put('p', p => { p.setAttribute('style', 'color: rgb(1, 2, 3)') });
  put('img', img => { img.src = '/echo' });
  put('iframe', frame => { frame.src = '/' });
  await fetch('/').catch(() => {});
  // One for each of these. What never comes is missed by the test.
  for (let waits = 0; waits < 100 && violated.size < 6; waits++) {
    await new Promise(done => setTimeout(done, 50));
  }
  const painted = [...document.querySelectorAll('h1, p')]
    .some(element => getComputedStyle(element).color === 'rgb(1, 2, 3)');
  return { fooled: Boolean(window.fooled) || painted, violated: [...violated].sort() };
}
