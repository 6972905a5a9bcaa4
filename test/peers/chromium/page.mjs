// The telephone in the page: JsSIP with the browser's own WebRTC. What is heard is kept as PCM.
import JsSIP from 'jssip';

let ua, session;
const heard = [];
const rate = 8000;

// listen keeps what a track says. The element is needed: without it Chromium does not pull a remote stream.
function listen(stream) {
  const element = new Audio();
  element.srcObject = stream;
  element.play();
  const context = new AudioContext({ sampleRate: rate });
  const tap = context.createScriptProcessor(1024, 1, 1);
  tap.onaudioprocess = (e) => heard.push(...e.inputBuffer.getChannelData(0).map((v) => Math.max(-1, Math.min(1, v)) * 32767));
  context.createMediaStreamSource(stream).connect(tap);
  tap.connect(context.destination);
}

function watch(s) {
  session = s;
  s.on('confirmed', () => say('established'));
  s.on('ended', (e) => say('ended ' + e.cause));
  s.on('failed', (e) => say('ended failed ' + e.cause));
  s.on('hold', (e) => say('hold ' + e.originator));
  s.on('unhold', (e) => say('unhold ' + e.originator));
  const known = new Set(); // a track that comes back after a hold is announced again
  const attach = (pc) => pc.addEventListener('track', ({ track }) => known.has(track) || (known.add(track), listen(new MediaStream([track]))));
  if (s.connection) attach(s.connection);
  else s.on('peerconnection', ({ peerconnection }) => attach(peerconnection));
}

// Speech goes through as it is: what makes calls pleasant would change what is compared.
const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const media = { mediaConstraints: { audio, video: false }, pcConfig: { iceServers: [] } };

window.begin = (url, uri, password) => {
  ua = new JsSIP.UA({ sockets: [new JsSIP.WebSocketInterface(url)], uri, password, register_expires: 120 });
  for (const name of ['connected', 'disconnected', 'registered', 'registrationFailed']) ua.on(name, (e) => say(name + ' ' + (e?.cause ?? '')));
  ua.on('newRTCSession', ({ originator, session: s }) => {
    if (originator === 'remote') {
      watch(s);
      say('incoming');
    }
  });
  ua.start();
};
window.order = {
  dial: (uri) => ua.call(uri, { ...media, eventHandlers: { peerconnection: () => {} } }) && watch(Object.values(ua._sessions)[0]),
  answer: () => session.answer(media),
  hangup: () => session.terminate(),
  hold: () => session.hold(),
  resume: () => session.unhold(),
};
window.take = () => {
  const bytes = new Uint8Array(Int16Array.from(heard).buffer);
  let text = '';
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
};
