// Visits pages with Chromium and says what is to be seen there.
//
// Standard input is JSON: {"visits": [{url, dark, width, certificate, headers, clicks, screenshot}]}, of
// which only the URL is needed; standard output is a list with what each visit came to. `clicks` are the texts of
// links, which are followed one after the other; what is told is where that leads. `json` is what the
// same URL says to programs.

import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { tmpdir } from 'node:os';
import { chromium } from 'playwright-core';
import { look, tempt } from './look.mjs';

/** A browser that asks nobody for anything but what it is sent to. */
const QUIET = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

/** The program of that name on the PATH. */
function program(...names) {
  const places = process.env.PATH.split(delimiter).flatMap(dir => names.map(name => join(dir, name)));
  const found = places.find(place => {
    try { accessSync(place, constants.X_OK); return true; } catch { return false; }
  });
  if (!found) throw new Error(`there is no ${names[0]}; make deps installs it`);
  return found;
}

// On a machine that is busy Chromium at times says that it cannot take a picture, and then can.
async function picture(page, path) {
  for (let left = 4; ; left -= 1) {
    try {
      return await page.screenshot({ path, fullPage: true });
    } catch (error) {
      if (left === 0 || !String(error).includes('Unable to capture screenshot')) throw error;
    }
  }
}

async function visit(browser, { url, dark, width, certificate, headers, clicks, screenshot }) {
  const context = await browser.newContext({
    colorScheme: dark ? 'dark' : 'light',
    extraHTTPHeaders: headers ?? {},
    viewport: { width: width ?? 1280, height: 900 },
    // The certificate is of a CA that was made for the test.
    ignoreHTTPSErrors: true,
    clientCertificates: certificate
      ? [{ origin: new URL(url).origin, certPath: certificate.cert, keyPath: certificate.key }]
      : [],
  });
  const page = await context.newPage();
  const console = [], requests = [];
  page.on('console', message => console.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', error => console.push(`error: ${error}`));
  page.on('request', request => requests.push(request.url()));
  try {
    let response = await page.goto(url);
    for (const text of clicks ?? []) {
      const arrives = page.waitForResponse(answer => answer.request().isNavigationRequest());
      await page.getByRole('link', { name: text, exact: true }).click();
      response = await arrives;
      await page.waitForLoadState();
    }
    if (screenshot) await picture(page, screenshot);
    const seen = await page.evaluate(look);
    const before = { console: [...console], requests: [...requests] };
    const text = await page.innerText('body');
    const { fooled, violated } = await page.evaluate(tempt);
    const said = {
      url: page.url(), status: response.status(), headers: response.headers(),
      text, fooled, violated, ...before, ...seen,
    };
    await page.route('**', route => route.continue({
      headers: { ...route.request().headers(), accept: 'application/json' },
    }));
    said.json = await (await page.goto(page.url())).text();
    return said;
  } catch (error) {
    return { error: String(error) };
  } finally {
    await context.close();
  }
}

async function read(stream) {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return JSON.parse(Buffer.concat(pieces));
}

const { visits } = await read(process.stdin);
const home = mkdtempSync(join(tmpdir(), 'turnkey-chromium-'));
const browser = await chromium.launch({
  executablePath: program('chromium', 'chromium-browser', 'google-chrome'),
  args: QUIET,
  env: { PATH: process.env.PATH, HOME: home, TMPDIR: home },
});
try {
  const said = [];
  for (const wish of visits) said.push(await visit(browser, wish));
  process.stdout.write(JSON.stringify(said));
} finally {
  await browser.close();
  rmSync(home, { recursive: true, force: true });
}
