// A JsSIP telephone in headless Chromium. It says each step on a line and takes orders from standard input, one a line.
// Arguments: WebSocket URL, address-of-record, password, WAV file to speak (48 kHz, mono), and "video" for pictures of a camera,
// "layers" for larger ones in two sizes at once, and "true" if media goes by way of a socket of ours that can lose it.
import { build } from 'esbuild';
import { createServer } from 'node:http';
import { createSocket } from 'node:dgram';
import { createInterface } from 'node:readline';
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import puppeteer from 'puppeteer-core';

const [url, uri, password, source, sight, detour] = process.argv.slice(2);

const bundle = await build({
  stdin: { contents: "import JsSIP from 'jssip'; window.JsSIP = JsSIP;", resolveDir: process.cwd() },
  bundle: true, write: false, format: 'iife', define: { global: 'window' },
});

// getUserMedia wants a page of a secure origin, which a page of loopback is.
const http = createServer((_, res) => res.setHeader('Content-Type', 'text/html').end('<!doctype html><title>telephone</title>'));
await new Promise((done) => http.listen(0, '127.0.0.1', done));

// near is where the browser finds the server, far what the server takes for the browser.
const near = createSocket('udp4'), far = createSocket('udp4');
let pageAt = 0, serverAt = 0, loss = 0, turn = 0;
const isMedia = (b) => b[0] >= 128 && b[0] < 192; // RFC 7983 §7
near.on('message', (b, { port }) => { pageAt = port; if (serverAt) far.send(b, serverAt, '127.0.0.1'); });
far.on('message', (b) => {
  turn = (turn + 37) % 100; // no two in a row, and always the same share
  if (pageAt && !(isMedia(b) && turn < loss)) near.send(b, pageAt, '127.0.0.1');
});
for (const socket of [near, far]) await new Promise((done) => socket.bind(0, '127.0.0.1', done));

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  userDataDir: resolve('profile'),
  ignoreDefaultArgs: ['--mute-audio'], // or the far end hears silence
  args: [
    '--no-sandbox', '--headless=new', '--disable-gpu', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream',
    `--use-file-for-fake-audio-capture=${source}`,
    '--allow-loopback-in-peer-connection', // there is a candidate on 127.0.0.1
    '--disable-features=WebRtcHideLocalIpsWithMdns',
    '--autoplay-policy=no-user-gesture-required',
    '--ignore-certificate-errors',
  ],
});
const page = await browser.newPage();
page.on('pageerror', (err) => console.log('page error', err.message));
await page.exposeFunction('say', (...words) => console.log(words.join(' ')));
await page.exposeFunction('lead', (port) => { serverAt = port; });
await page.goto(`http://127.0.0.1:${http.address().port}/`);
await page.addScriptTag({ content: bundle.outputFiles[0].text });

await page.evaluate(({ url, uri, password, sight, by }) => {
  // Both sides speak at once; what cancels echoes would take that for one.
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  // Small, for machines that have little time; of smaller ones than 480 by 270 Chromium makes no layers.
  const video = sight === 'layers' ? { width: 640, height: 360, frameRate: 10 } : sight === 'video' && { width: 160, height: 120, frameRate: 10 };
  const media = { mediaConstraints: { audio, video }, pcConfig: { iceServers: [] } };
  const ua = new JsSIP.UA({ sockets: [new JsSIP.WebSocketInterface(url)], uri, password, register_expires: 120, session_timers: false });
  const heard = []; // payloads of G.711
  let session;

  // The payloads are taken between SRTP and the jitter buffer, which on a busy machine stretches speech until nobody knows it again.
  const worker = new Worker(URL.createObjectURL(new Blob([`onrtctransform = ({ transformer: t }) => t.readable.pipeThrough(new TransformStream({
    transform(frame, out) {
      postMessage({ type: frame.getMetadata().payloadType, data: frame.data.slice(0) });
      out.enqueue(frame);
    },
  })).pipeTo(t.writable);`], { type: 'text/javascript' })));
  worker.onmessage = ({ data: { type, data } }) => { if (type === 0 || type === 8) heard.push({ type, data: new Uint8Array(data) }); };
  // G.711 alone, so that what comes can be told without a decoder.
  const speech = RTCRtpReceiver.getCapabilities('audio').codecs.filter((c) => c.clockRate === 8000 && /PCMU|PCMA|telephone-event/.test(c.mimeType));
  const addTrack = RTCPeerConnection.prototype.addTrack;
  RTCPeerConnection.prototype.addTrack = function (...args) { // after it is too late for a transform
    const layers = [{ rid: 'large', maxBitrate: 800_000 }, { rid: 'small', maxBitrate: 150_000, scaleResolutionDownBy: 2 }];
    const sender = sight === 'layers' && args[0].kind === 'video'
      ? this.addTransceiver(args[0], { direction: 'sendrecv', streams: args.slice(1), sendEncodings: layers }).sender
      : addTrack.apply(this, args);
    for (const t of this.getTransceivers().filter((t) => t.receiver.track.kind === 'audio')) {
      t.setCodecPreferences(speech);
      t.receiver.transform ??= new RTCRtpScriptTransform(worker);
    }
    return sender;
  };
  const hear = ({ track }) => {
    const element = document.createElement(track.kind); // or Chromium does not pull the track
    element.srcObject = new MediaStream([track]);
    element.muted = track.kind === 'video';
    element.play().catch((err) => say('play', err.message));
    window.kept = [...(window.kept ?? []), element];
  };
  const watch = (connection) => {
    connection.addEventListener('track', hear);
    connection.addEventListener('iceconnectionstatechange', () => say('ice', connection.iceConnectionState));
    connection.addEventListener('connectionstatechange', () => say('connection', connection.connectionState));
  };
  for (const name of ['registered', 'registrationFailed', 'disconnected']) ua.on(name, (e) => say(name, e?.cause ?? ''));
  ua.on('newRTCSession', ({ originator, session: s }) => {
    session = s;
    if (s.connection) watch(s.connection); else s.on('peerconnection', (e) => watch(e.peerconnection));
    s.on('sdp', (e) => {
      if (!by || e.originator !== 'remote') return;
      e.sdp = e.sdp.replace(/(a=candidate:\S+ 1 \S+ \d+ \S+ )(\d+)/g, (_, head, port) => { lead(Number(port)); return head + by; });
    });
    s.on('sdp', (e) => say('sdp', e.originator, e.type, JSON.stringify(e.sdp)));
    for (const name of ['accepted', 'confirmed', 'hold', 'unhold']) s.on(name, () => say(name));
    s.on('ended', (e) => say('ended', e.cause));
    s.on('failed', (e) => say('failed', e.cause, e.message?.status_code ?? ''));
    s.on('getusermediafailed', (e) => say('getusermediafailed', e));
    s.on('peerconnection:setremotedescriptionfailed', (e) => say('setremotedescriptionfailed', e.message));
    say('newRTCSession', originator);
  });
  // settled waits until a change of the session may begin, and then until it is done.
  const settled = (change) => new Promise((done) => {
    const ask = () => change(done) || setTimeout(ask, 100);
    ask();
  });
  window.orders = {
    dial: (target) => { ua.call(target, media); },
    answer: () => session.answer(media),
    hangup: () => session.terminate(),
    hold: () => settled((done) => session.hold({}, done)),
    resume: () => settled((done) => session.unhold({}, done)),
    digit: (d) => session.sendDTMF(d, { transportType: 'RFC2833' }),
    // How many pictures were shown, by line.
    frames: async () => JSON.stringify(Object.fromEntries([...(await session.connection.getStats()).values()]
      .filter((s) => s.type === 'inbound-rtp' && s.kind === 'video').map((s) => [s.mid, s.framesDecoded ?? 0]))),
    figures: async () => {
      const all = [...(await session.connection.getStats()).values()].filter((s) => s.kind === 'video');
      const seen = all.filter((s) => s.type === 'inbound-rtp'), sum = (key) => seen.reduce((n, s) => n + (s[key] ?? 0), 0);
      return JSON.stringify({
        Sent: Object.fromEntries(all.filter((s) => s.type === 'outbound-rtp').map((s) => [s.rid ?? '', s.packetsSent])),
        Widths: Object.fromEntries(seen.map((s) => [s.mid, s.frameWidth ?? 0])),
        Repaired: sum('retransmittedPacketsReceived'), Lost: sum('nackCount'),
      });
    },
    lose: () => {},
    save: () => heard.map(({ type, data }) => [type, btoa(String.fromCharCode(...data))]),
  };
  ua.start();
}, { url, uri, password, sight, by: detour === 'true' ? near.address().port : 0 });

// linear is one sample of G.711: ITU-T G.711, tables 1a and 2a.
const linear = (type, byte) => {
  const x = type === 0 ? ~byte & 0xff : byte ^ 0x55;
  const exponent = (x >> 4) & 7, mantissa = x & 15;
  if (type === 0) {
    const level = (((mantissa << 3) + 0x84) << exponent) - 0x84;
    return x & 0x80 ? -level : level;
  }
  const level = exponent === 0 ? (mantissa << 4) + 8 : ((mantissa << 4) + 0x108) << (exponent - 1);
  return x & 0x80 ? level : -level;
};

// wav writes what was heard as 16-bit mono at 8 kHz.
const wav = (file, payloads) => {
  const pcm = Buffer.from(Int16Array.from(payloads.flatMap(([type, text]) => Array.from(Buffer.from(text, 'base64'), (b) => linear(type, b)))).buffer);
  const head = Buffer.alloc(44);
  head.write('RIFF', 0); head.writeUInt32LE(36 + pcm.length, 4); head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16); head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24); head.writeUInt32LE(16000, 28); head.writeUInt16LE(2, 32); head.writeUInt16LE(16, 34);
  head.write('data', 36); head.writeUInt32LE(pcm.length, 40);
  writeFileSync(file, Buffer.concat([head, pcm]));
};

for await (const line of createInterface({ input: process.stdin })) {
  const [order, word] = line.trim().split(' ');
  if (order === 'quit') break;
  try {
    if (order === 'lose') loss = Number(word);
    const result = await page.evaluate((order, word) => window.orders[order](word), order, word);
    if (order === 'save') wav(word, result);
    if (order === 'frames') console.log('seen', result);
    if (order === 'figures') console.log('figures', result);
    console.log('done', order);
  } catch (err) {
    console.log('error', order, err.message);
  }
}
await browser.close();
near.close();
far.close();
http.close();
console.log('gone');
process.exit(0); // connections that are kept alive would hold it
