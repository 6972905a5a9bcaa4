// The table of fields: name, meaning, value. Flags, variables, the file, the reference and `sipwerk check` are all made from it.

package config

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Field is one setting.
type Field struct {
	Name    string // as the file writes it: "tls.certificate"
	Doc     string // one or two sentences
	Example string // a value that makes sense
	Value   Value
}

// Flag returns the name of the field's flag, without dashes.
func (f Field) Flag() string { return strings.ReplaceAll(f.Name, ".", "-") }

// Variable returns the name of the field's environment variable.
func (f Field) Variable() string {
	return "SIPWERK_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(f.Name))
}

// Fields returns every setting of c in the order of the reference; setting a Value changes c.
func (c *Config) Fields() []Field {
	return []Field{
		{"data", "The data folder: accounts, registrations, certificates. It is made if it is missing; one server at a time uses it.",
			"/var/lib/sipwerk", (*text)(&c.Data)},
		{"domain", "The first domain. It is made if it is missing, and its name becomes its realm for good. Requests to one of the server's own " +
			"addresses count as requests to it. Without a value it is the domain of the last start, and at the very first start the server's address.",
			"example.org", (*text)(&c.Domain)},
		{"service", "What serves the first domain: pbx or proxy. The PBX carries calls with their sound; the proxy forwards requests to the registered devices and carries no sound. Rooms, feature numbers and calls to the outside are there with both.",
			"proxy", choice{&c.Service, "pbx, proxy"}},
		{"relay", "Whether the proxy lets accounts and trusted peers reach other domains: yes or no. Nobody else ever may.",
			"yes", (*toggle)(&c.Relay)},
		{"listen", "Where to listen, as URLs: udp, tcp, tls, ws or wss, then address and port. No address means all of them, port 0 a free one. " +
			"`?advertise=host:port` names what peers see if that differs.",
			"udp://192.0.2.1:5060", (*list)(&c.Listen)},
		{"advertise", "The host name or address that peers see in place of the listeners' own, for a server behind address translation.",
			"203.0.113.7", (*text)(&c.Advertise)},
		{"http", "Where `/health` and `/metrics` answer. Only loopback addresses are taken; `off` closes it.",
			"127.0.0.1:8060", (*text)(&c.HTTP)},
		{"trust", "Sources that are not challenged, as address prefixes: peers known by their address. A REGISTER from there binds only accounts that exist. Name here a proxy with several addresses, too: what it sends inside the call of an account from another one than the call began from is challenged otherwise.",
			"192.0.2.128/25", (*prefixes)(&c.Trust)},
		{"digest", "The algorithms by which devices prove their password, the preferred first: MD5, SHA-256, SHA-512-256. Many telephones give up when anything but MD5 is offered, even " +
			"beside it: offer more only to devices that are known to understand it.",
			"SHA-256,MD5", (*algorithms)(&c.Digest)},
		{"drain", "How long running calls may go on after SIGTERM or SIGINT. A second signal ends them at once.",
			"30s", (*duration)(&c.Drain)},
		{"calls.session-expires", "How long a call may stand without a sign of life of its telephones; 0 asks for none. They are asked in half of that time (session timers, RFC 4028), and a call whose telephone is gone " +
			"ends by then at the latest.",
			"1h", span{&c.Calls.SessionExpires, shortestSession, 24 * time.Hour, true}},
		{"calls.min-session", "The least time that a telephone may ask for in place of `calls.session-expires`; a shorter one is refused with 422.",
			"3m", span{&c.Calls.MinSE, shortestSession, 24 * time.Hour, false}},
		{"calls.ring-time", "How long a telephone rings before its caller gets 480.",
			"45s", span{&c.Calls.RingTime, time.Second, time.Hour, false}},
		{"calls.silence", "After how long a call is ended from which no packet comes: one between two telephones if both are silent, one to a room, a queue or another number of the server if the telephone is. " +
			"If only one of two telephones is silent the call ends after five minutes if that one has sent both sound (or pictures) and reports on it (RTCP) before, which it would go on to send even when it is muted; it stays " +
			"if it has named a codec with pauses (comfort noise, G.729 with annex B) or has a line for text or facsimiles. A telephone on hold may be silent; a browser that was seen to say all the time that it is there is " +
			"gone after half a minute without that, on hold or not. 0: never.",
			"1m", span{&c.Calls.Silence, 30 * time.Second, 24 * time.Hour, true}},
		{"calls.pass-redirects", "Whether a caller is told where a telephone redirects it (3xx), if that leads out of the house: yes or no. With no it gets 480. What leads to an account is followed in any case.",
			"yes", (*toggle)(&c.Calls.PassRedirects)},
		{"registrations.flow-timer", "How often at least a telephone with outbound (RFC 5626) proves that its connection lives.",
			"1m", span{&c.Registrations.FlowTimer, 10 * time.Second, time.Hour, false}},
		{"registrations.service-route", "The servers by way of which registered telephones send their requests. They are SIP URIs with `;lr`, the nearest to the telephone first (Service-Route, RFC 3608); without a value " +
			"telephones send as they like.",
			"sip:edge.example.org;lr", (*list)(&c.Registrations.ServiceRoute)},
		{"media.ports", "The UDP ports of RTP and RTCP, first and last. Each leg of a call takes two: 16384 ports carry 4096 calls.",
			"20000-29999", &c.Media.Ports},
		{"media.shared-port", "The one UDP port for the media of browsers and of others that ICE finds (RFC 8445), beside `media.ports` for the rest: open both in a firewall. 0: they get ports of `media.ports` too, and so they " +
			"do where another program has the port.",
			"10000", count{&c.Media.Shared, 0, 65535}},
		{"media.kernel", "Whether the kernel carries the packets of plain calls (RTP without keys, IPv4) that have settled, past the server's threads, the rules of the machine's own firewall and its address translation: auto, or off. With auto it does where the system allows it: Linux 6.6 or later, with the rights CAP_BPF and CAP_NET_ADMIN. " +
			"Where such packets need a rule or a translation, turn it off.",
			"off", choice{&c.Media.Kernel, "auto, off"}},
		{"media.advertise", "The IP address written into SDP, for a server behind address translation. Without a value it is `advertise` if that is an IP address, otherwise the " +
			"local address toward the peer.",
			"203.0.113.7", (*address)(&c.Media.Advertise)},
		{"media.music", "What those hear who are put on hold, wait in a queue or are parked, where nothing else is said: `tune` is a melody of ours, `none` leaves it to the telephone that holds, anything else is a file (WAV, or Opus in Ogg) that is played " +
			"over and over, or the http or https URL of a stream of the same. A file without a folder lies in the folder music of the data folder. It is heard on hold where caller and server have a codec in common.",
			"/etc/sipwerk/hold.wav", (*text)(&c.Media.Music)},
		{"media.kinds", "How calls are offered to the devices of an account, as `account=kind`: `plain` RTP, `opportunistic` (RTP with keys that may be left), `sdes`, `dtls` or `webrtc`. Other " +
			"accounts are offered what their connection suggests: a browser's over a WebSocket, opportunistic over TLS, otherwise plain RTP, and SRTP when that is refused.",
			"door=plain,bob=sdes", (*list)(&c.Media.Kinds)},
		{"media.video", "Whether conference rooms take and show pictures: yes or no. They are forwarded, never decoded: each member who sees others costs the bandwidth of those seen.",
			"no", (*toggle)(&c.Media.Video)},
		{"keep.records", "How many days call detail records are kept (`sipwerk cdr`); 0: for ever.",
			"180", count{&c.Keep.Records, 0, 36_500}},
		{"keep.recordings", "How many days recorded calls and conferences are kept in the folder recordings of the data folder; 0: for ever.",
			"30", count{&c.Keep.Recordings, 0, 36_500}},
		{"turn.listen", "Where STUN and TURN are offered, as URLs: udp, tcp or tls, then address and port; `off` closes it. Clients that nothing else reaches get their sound through a relay there. Without " +
			"a value it is on the addresses of `listen`, and if another program has these ports, the server says so and goes on without.",
			"udp://:3478,tls://:443", (*list)(&c.Turn.Listen)},
		{"turn.ports", "The UDP ports of relays, first and last. Each relay takes one.",
			"50000-59999", &c.Turn.Ports},
		{"turn.private", "Private networks that relays may reach, as address prefixes. Otherwise they reach public addresses, and of this machine nothing but the ports that carry media.",
			"10.20.0.0/16", (*prefixes)(&c.Turn.Private)},
		{"turn.relays", "How many relays one account may have at a time. A call takes one or two.",
			"4", count{&c.Turn.Relays, 1, 10_000}},
		{"tls.certificate", "The certificate of the tls and wss listeners, a PEM file with its chain. Without a value the server signs one with its local CA.",
			"/etc/sipwerk/fullchain.pem", (*text)(&c.TLS.Certificate)},
		{"tls.key", "The private key that belongs to `tls.certificate`, a PEM file.",
			"/etc/sipwerk/privkey.pem", (*text)(&c.TLS.Key)},
		{"log.level", "What is written to standard error: debug, info, warn or error, and what is worse.",
			"debug", choice{&c.Log.Level, "debug, info, warn, error"}},
		{"log.format", "How it is written: text or json.",
			"json", choice{&c.Log.Format, "text, json"}},
		{"limits.calls", "Calls at one time; one more is answered 503.",
			"2000", count{&c.Limits.Calls, 1, 1_000_000}},
		{"limits.connections", "Open TCP, TLS and WebSocket connections.",
			"20000", count{&c.Limits.Connections, 1, 10_000_000}},
		{"limits.per-source", "Open connections of one address.",
			"200", count{&c.Limits.PerSource, 1, 10_000_000}},
		{"limits.message", "The longest message on a connection, in bytes.",
			"65536", count{&c.Limits.Message, 4 << 10, 64 << 20}},
	}
}

// Short returns the first sentence of Doc, without its full stop and back quotes: the help of its flag.
func (f Field) Short() string {
	first, _, _ := strings.Cut(f.Doc, ". ")
	return strings.ReplaceAll(strings.TrimSuffix(first, "."), "`", "")
}

// List reports whether the field holds several values.
func (f Field) List() bool {
	switch f.Value.(type) {
	case *list, *prefixes, *algorithms:
		return true
	}
	return false
}

// field returns the field called name.
func (c *Config) field(name string) (Field, bool) {
	for _, f := range c.Fields() {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// defaultData is where a package would put it for the superuser, and what the XDG base directory specification says for everyone else.
func defaultData(env func(string) (string, bool), root bool) string {
	if root {
		return "/var/lib/sipwerk"
	}
	if dir, ok := env("XDG_DATA_HOME"); ok && filepath.IsAbs(dir) {
		return filepath.Join(dir, "sipwerk")
	}
	if home, ok := env("HOME"); ok && home != "" {
		return filepath.Join(home, ".local", "share", "sipwerk")
	}
	return filepath.Join(os.TempDir(), "sipwerk")
}
