// Runs headless Chromium with the page's telephone; orders come by standard input, what happens goes to standard output, a line each.
// Arguments: websocket URL, address-of-record, password, WAV file for the microphone (48 kHz mono), WAV file to write.
import { createServer } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import puppeteer from 'puppeteer-core';

const [url, uri, password, source, target] = process.argv.slice(2);
const server = createServer((_, res) => res.end('<!doctype html><title>telephone</title>')).listen(0, '127.0.0.1');
await new Promise((done) => server.once('listening', done));

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, ignoreDefaultArgs: ['--mute-audio'],
  args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', `--use-file-for-fake-audio-capture=${source}`,
    '--allow-loopback-in-peer-connection', '--disable-features=WebRtcHideLocalIpsWithMdns', '--autoplay-policy=no-user-gesture-required', '--ignore-certificate-errors'],
});
const page = await browser.newPage();
page.on('pageerror', (e) => console.log('page error', e.message));
await page.exposeFunction('say', (text) => console.log(text));
await page.goto(`http://127.0.0.1:${server.address().port}/`);
await page.addScriptTag({ content: readFileSync('page.js', 'utf8') });
await page.evaluate((...a) => window.begin(...a), url, uri, password);

// wav puts a header before 8 kHz mono PCM.
function wav(pcm) {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0); head.writeUInt32LE(36 + pcm.length, 4); head.write('WAVEfmt ', 8); head.writeUInt32LE(16, 16); head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22); head.writeUInt32LE(8000, 24); head.writeUInt32LE(16000, 28); head.writeUInt16LE(2, 32); head.writeUInt16LE(16, 34);
  head.write('data', 36); head.writeUInt32LE(pcm.length, 40);
  return Buffer.concat([head, pcm]);
}

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, argument] = line.split(' ');
  if (verb === 'quit') break;
  try {
    await page.evaluate((v, a) => { window.order[v](a); }, verb, argument);
  } catch (e) {
    console.log('order failed', verb, e.message);
  }
}
writeFileSync(target, wav(Buffer.from(await page.evaluate(() => window.take()), 'base64')));
console.log('written');
await browser.close();
process.exit(0);
