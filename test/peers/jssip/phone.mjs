// A JsSIP user agent without a browser: it registers over a WebSocket of the ws package, rings, refuses the call, and says each step on a line.
// Arguments: websocket URL, address-of-record, password.
import JsSIP from 'jssip';
import WebSocket from 'ws';

// JsSIP looks for WebRTC before it rings; no call is answered here, so a name is enough.
globalThis.window = { RTCPeerConnection: class {} };

const [url, uri, password] = process.argv.slice(2);

class Socket {
  constructor() {
    this.url = url;
    this.sip_uri = `sip:${new URL(url).host};transport=ws`;
    this.via_transport = new URL(url).protocol === 'wss:' ? 'WSS' : 'WS';
  }
  connect() {
    this.ws = new WebSocket(url, 'sip', { rejectUnauthorized: false, origin: process.env.ORIGIN });
    this.ws.on('open', () => this.onconnect());
    this.ws.on('close', (code, reason) => this.ondisconnect(code !== 1000, code, String(reason)));
    this.ws.on('error', (err) => console.log('socket error', err.message));
    this.ws.on('message', (data) => this.ondata(String(data)));
  }
  disconnect() { this.ws.close(); }
  send(text) { this.ws.send(text); return true; }
  isConnected() { return this.ws?.readyState === WebSocket.OPEN; }
  isConnecting() { return this.ws?.readyState === WebSocket.CONNECTING; }
}

const ua = new JsSIP.UA({ sockets: [new Socket()], uri, password, register: true, register_expires: 120 });
for (const name of ['connected', 'disconnected', 'registered', 'unregistered', 'registrationFailed']) {
  ua.on(name, (e) => console.log(name, e?.response?.status_code ?? '', e?.cause ?? ''));
}
ua.on('newRTCSession', ({ originator, session }) => {
  console.log('newRTCSession', originator, session.remote_identity.uri.toString());
  session.on('failed', (e) => console.log('failed', e.cause));
  setTimeout(() => session.terminate({ status_code: 486 }), 300);
});
ua.on('newMessage', ({ originator, request }) => console.log('newMessage', originator, request.body));
process.stdin.on('data', (line) => {
  if (String(line).trim() === 'quit') {
    ua.stop();
    setTimeout(() => process.exit(0), 500);
  }
});
ua.start();
